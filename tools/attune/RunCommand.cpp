//===- RunCommand.cpp - attune run ----------------------------------------===//
#include "Common.h"
#include "ReferenceCheck.h"

using namespace llvm;

namespace attune::tool {

namespace {
/// The files of a run and the tensors that the configuration takes from them.
class RunFiles {
public:
  explicit RunFiles(const RunArguments &arguments) : arguments(arguments) {}

  Error load(const Config &config) {
    inputSpecs = interfaceInputs(config);
    parameterSpecs = interfaceParameters(config);
    try {
      if (!parameterSpecs.empty() && arguments.weights.empty())
        return createStringError("op multihead_attention has parameters: give --weights FILE");
      if (!arguments.weights.empty())
        weights.emplace(arguments.weights);
      inputFile.emplace(arguments.inputs);
      for (const InterfaceTensor &spec : parameterSpecs)
        parameters.push_back(weights->get(arguments.prefix + spec.name));
      for (const InterfaceTensor &spec : inputSpecs)
        inputs.push_back(inputFile->get(spec.name));
    } catch (const attune::StatusError &error) {
      return createStringError("%s", error.what());
    }
    return bindSizes();
  }

  std::vector<InterfaceTensor> inputSpecs, parameterSpecs;
  std::vector<attune_tensor> inputs, parameters;
  CallSizes sizes;
  std::optional<attune::TensorFile> inputFile;

private:
  /// Takes N, L and S from the inputs. Whether all inputs agree is checked by the generated module.
  Error bindSizes() {
    for (auto [spec, tensor] : zip(inputSpecs, inputs)) {
      if (tensor.rank != static_cast<int32_t>(spec.sizes.size()))
        return createStringError("%s: tensor %s has %d dimensions, expected %zu",
                                 arguments.inputs.c_str(), spec.name.c_str(), tensor.rank,
                                 spec.sizes.size());
      for (auto [k, size] : enumerate(spec.sizes)) {
        if (size.symbol == SizeSymbol::Batch)
          sizes.batch = tensor.sizes[k] / size.factor;
        if (size.symbol == SizeSymbol::Target)
          sizes.target = tensor.sizes[k];
        if (size.symbol == SizeSymbol::Source)
          sizes.source = tensor.sizes[k];
      }
    }
    return Error::success();
  }

  const RunArguments &arguments;
  std::optional<attune::TensorFile> weights;
};

/// A dense float32 tensor with memory of its own.
struct OwnedTensor {
  explicit OwnedTensor(const std::vector<int64_t> &shape) {
    size_t count = 1;
    for (int64_t size : shape)
      count *= static_cast<size_t>(size);
    buffer = attune::AlignedBuffer(count * sizeof(float));
    tensor = attune_dense_tensor(buffer.data(), ATTUNE_FLOAT32, shape.size(), shape.data());
  }
  attune::AlignedBuffer buffer;
  attune_tensor tensor;
};
} // namespace

Error runRun(const RunArguments &arguments) {
  Expected<CompiledModule> compiled = compileConfig(arguments.config);
  if (!compiled)
    return compiled.takeError();
  RunFiles files(arguments);
  if (Error error = files.load(compiled->config))
    return error;
  auto session = Session::create(*compiled, arguments.threads);
  if (!session)
    return session.takeError();
  if (Error error = (*session)->pack(files.parameters))
    return error;
  (*session)->prepare(files.sizes.batch, files.sizes.target, files.sizes.source);
  std::vector<InterfaceTensor> outputSpecs = interfaceOutputs(compiled->config);
  std::vector<OwnedTensor> outputs;
  std::vector<attune_tensor> tensors = files.inputs;
  std::vector<const char *> names;
  std::vector<attune_tensor> written;
  for (const InterfaceTensor &spec : outputSpecs) {
    outputs.emplace_back(shapeOf(spec, files.sizes));
    tensors.push_back(outputs.back().tensor);
    written.push_back(outputs.back().tensor);
    names.push_back(spec.name.c_str());
  }
  if (Error error = (*session)->forward(tensors))
    return error;
  if (attune_tensor_file_write(arguments.output.c_str(), names.size(), names.data(),
                               written.data()) != ATTUNE_OK)
    return createStringError("%s", attune_last_error());
  if (!arguments.check)
    return Error::success();
  return checkAgainstReference(*compiled, files.inputs, files.parameters, files.sizes, written[0],
                               *files.inputFile);
}

} // namespace attune::tool
