//===- Problem.cpp - One call of a configuration, as plain data -----------===//
#include "Problem.h"

namespace attune::conformance {

int64_t HostTensor::count() const {
  int64_t product = 1;
  for (int64_t size : sizes)
    product *= size;
  return product;
}

namespace {
HostTensor zeros(const InterfaceTensor &spec, const CallSizes &sizes) {
  HostTensor tensor;
  tensor.name = spec.name;
  tensor.dtype = spec.type == InterfaceType::Mask ? ATTUNE_BOOL : ATTUNE_FLOAT32;
  tensor.sizes = shapeOf(spec, sizes);
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
const HostTensor *Problem::parameter(const std::string &name) const {
  return find(parameters, name);
}

std::vector<int64_t> Problem::outputSizes() const {
  return shapeOf(interfaceOutputs(config).front(), sizes);
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

Problem batchElement(const Problem &problem, int64_t n) {
  CallSizes sizes = problem.sizes;
  sizes.batch = 1;
  Problem single = emptyProblem(problem.config, sizes);
  single.parameters = problem.parameters;
  const int dimension = batchDimension(problem.config);
  for (size_t k = 0; k < problem.inputs.size(); ++k) {
    const HostTensor &whole = problem.inputs[k];
    if (whole.name == "attn_mask") {
      single.inputs[k] = whole;
      continue;
    }
    int64_t inner = 1;
    for (size_t d = dimension + 1; d < whole.sizes.size(); ++d)
      inner *= whole.sizes[d];
    HostTensor &part = single.inputs[k];
    for (int64_t at = 0; at < part.count(); ++at)
      part.values[at] = whole.values[(at / inner * problem.sizes.batch + n) * inner + at % inner];
  }
  return single;
}

} // namespace attune::conformance
