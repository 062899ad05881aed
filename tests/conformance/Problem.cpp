//===- Problem.cpp - One call of a configuration, as plain data -----------===//
#include "Problem.h"

#include "package/Elements.h"
#include "package/InterfaceText.h"

namespace attune::conformance {

int64_t HostTensor::count() const {
  int64_t product = 1;
  for (int64_t size : sizes)
    product *= size;
  return product;
}

float roundedTo(attune_dtype dtype, float value) {
  uint32_t element = 0;
  writeElement(&element, dtype, 0, value);
  return static_cast<float>(readElement(&element, dtype, 0));
}

void HostTensor::roundValues() {
  if (dtype != ATTUNE_BFLOAT16 && dtype != ATTUNE_FLOAT16)
    return;
  for (float &value : values)
    value = roundedTo(dtype, value);
}

namespace {
HostTensor described(const InterfaceTensor &spec, const CallSizes &sizes) {
  HostTensor tensor;
  tensor.name = spec.name;
  tensor.dtype = interfaceDtype(spec);
  tensor.sizes = shapeOf(spec, sizes);
  return tensor;
}

HostTensor zeros(const InterfaceTensor &spec, const CallSizes &sizes) {
  HostTensor tensor = described(spec, sizes);
  tensor.values.assign(tensor.count(), 0);
  return tensor;
}

template <typename Tensors> auto find(Tensors &tensors, const std::string &name) {
  for (auto &tensor : tensors)
    if (tensor.name == name)
      return &tensor;
  return static_cast<decltype(&tensors[0])>(nullptr);
}
} // namespace

HostTensor *Problem::input(const std::string &name) { return find(inputs, name); }
const HostTensor *Problem::input(const std::string &name) const { return find(inputs, name); }
HostTensor *Problem::parameter(const std::string &name) { return find(parameters, name); }
const HostTensor *Problem::parameter(const std::string &name) const {
  return find(parameters, name);
}

std::vector<HostTensor> Problem::outputs() const {
  std::vector<HostTensor> tensors;
  for (const InterfaceTensor &spec : interfaceOutputs(config))
    tensors.push_back(described(spec, sizes));
  return tensors;
}

CallSizes settledSizes(const Config &config, CallSizes sizes) {
  const ForwardConfig &forward = config.forward;
  CallSizes settled{forward.batched ? forward.batch.value_or(sizes.batch) : 1,
                    forward.targetLength.value_or(sizes.target),
                    forward.sourceLength.value_or(sizes.source)};
  if (forward.inputs == Inputs::Self)
    settled.source = settled.target;
  return settled;
}

Problem emptyProblem(const Config &config, CallSizes sizes) {
  Problem problem;
  problem.config = config;
  problem.sizes = settledSizes(config, sizes);
  for (const InterfaceTensor &spec : interfaceInputs(config))
    problem.inputs.push_back(zeros(spec, problem.sizes));
  for (const InterfaceTensor &spec : interfaceParameters(config))
    problem.parameters.push_back(zeros(spec, problem.sizes));
  return problem;
}

int batchDimension(const Config &config) {
  if (!config.forward.batched)
    return -1;
  return config.op == Op::Attention || config.module.batchFirst ? 0 : 1;
}

std::vector<float> batchPart(const Problem &problem, const HostTensor &whole, int64_t n) {
  const bool isMask = whole.name == "attn_mask";
  if (problem.sizes.batch == 1 || (isMask && whole.sizes.size() == 2))
    return whole.values;
  const bool batchOuter = isMask || whole.name == "key_padding_mask" || whole.name == "weights" ||
                          batchDimension(problem.config) == 0;
  // The batch stands outermost (with the heads in a mask), or second after the length.
  const int64_t batch = problem.sizes.batch;
  const int64_t inner =
      whole.count() / batch / (batchOuter ? 1 : std::max<int64_t>(whole.sizes[0], 1));
  std::vector<float> part(whole.count() / batch);
  for (size_t at = 0; at < part.size(); ++at)
    part[at] = whole.values[(at / inner * batch + n) * inner + at % inner];
  return part;
}

Problem batchElement(const Problem &problem, int64_t n) {
  CallSizes sizes = problem.sizes;
  sizes.batch = 1;
  Problem single = emptyProblem(problem.config, sizes);
  single.parameters = problem.parameters;
  for (size_t k = 0; k < problem.inputs.size(); ++k) {
    single.inputs[k].dtype = problem.inputs[k].dtype;
    single.inputs[k].values = batchPart(problem, problem.inputs[k], n);
  }
  return single;
}

} // namespace attune::conformance
