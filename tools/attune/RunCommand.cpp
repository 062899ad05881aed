//===- RunCommand.cpp - attune run ----------------------------------------===//
#include "CallTensors.h"
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
    try {
      if (Error error = loadParameters(interfaceParameters(config)))
        return error;
      return loadInputs(config);
    } catch (const attune::StatusError &error) {
      return createStringError("%s", error.what());
    }
  }

  std::vector<attune_tensor> inputs, parameters;
  CallSizes sizes;
  std::optional<InputFile> inputFile;

private:
  Error loadParameters(const std::vector<InterfaceTensor> &specs) {
    if (!specs.empty() && arguments.weights.empty())
      return createStringError("op multihead_attention has parameters: give --weights FILE");
    if (arguments.weights.empty())
      return Error::success();
    weights.emplace(arguments.weights);
    parameters = weights->parameters(arguments.prefix, specs);
    return Error::success();
  }

  Error loadInputs(const Config &config) {
    inputFile.emplace(arguments.inputs);
    const std::vector<InterfaceTensor> specs = interfaceInputs(config);
    KnownSizes known(config);
    for (const InterfaceTensor &spec : specs) {
      inputs.push_back(inputFile->tensors.get(spec.name));
      if (Error error = known.bind(spec, inputs.back(), *inputFile))
        return error;
    }
    inputFile->warnOfUnused("", maskNames(), specs);
    sizes = known.complete();
    return Error::success();
  }

  const RunArguments &arguments;
  std::optional<InputFile> weights;
};
} // namespace

Error runRun(const RunArguments &arguments) {
  Expected<CompiledModule> compiled = compileConfig(arguments.config);
  if (!compiled)
    return compiled.takeError();
  RunFiles files(arguments);
  if (Error error = files.load(compiled->config))
    return error;
  auto session = Session::create(compiled->object, compiled->config.name, arguments.threads);
  if (!session)
    return session.takeError();
  if (Error error = (*session)->pack(files.parameters))
    return error;
  if (Error error = (*session)->prepare(files.sizes))
    return error;
  const std::vector<InterfaceTensor> outputSpecs = interfaceOutputs(compiled->config);
  TensorMemory memory;
  std::vector<attune_tensor> outputs;
  std::vector<const char *> names;
  for (const InterfaceTensor &spec : outputSpecs) {
    outputs.push_back(memory.allocate(spec, files.sizes));
    names.push_back(spec.name.c_str());
  }
  std::vector<attune_tensor> tensors = files.inputs;
  tensors.insert(tensors.end(), outputs.begin(), outputs.end());
  if (Error error = (*session)->forward(tensors))
    return error;
  if (attune_tensor_file_write(arguments.output.c_str(), names.size(), names.data(),
                               outputs.data()) != ATTUNE_OK)
    return createStringError("%s", attune_last_error());
  if (!arguments.check)
    return Error::success();
  return checkAgainstReference(*compiled, {files.inputs, files.parameters, outputs, files.sizes},
                               files.inputFile->tensors);
}

} // namespace attune::tool
