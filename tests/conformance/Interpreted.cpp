//===- Interpreted.cpp - Problems run by the compiler's interpreters ------===//
#include "Interpreted.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace attune::conformance {

namespace {
std::vector<mha::Array> arraysOf(const std::vector<HostTensor> &tensors) {
  std::vector<mha::Array> arrays;
  for (const HostTensor &tensor : tensors)
    arrays.push_back(mha::Array::of(tensor.sizes, {tensor.values.begin(), tensor.values.end()}));
  return arrays;
}

std::string compareVectors(const std::string &name, const std::vector<double> &found,
                           const std::vector<double> &exact) {
  if (found.size() != exact.size())
    return name + ": " + std::to_string(found.size()) + " elements, expected " +
           std::to_string(exact.size()) + "\n";
  double largest = 0;
  for (double value : exact)
    largest = std::isfinite(value) ? std::max(largest, std::abs(value)) : largest;
  for (size_t k = 0; k < found.size(); ++k) {
    const bool agrees = std::isnan(exact[k]) ? std::isnan(found[k])
                                             : found[k] == exact[k] ||
                                                   std::abs(found[k] - exact[k]) <= 1e-9 * largest;
    if (!agrees)
      return name + ": element " + std::to_string(k) + " of " + std::to_string(found.size()) +
             " is " + std::to_string(found[k]) + ", expected " + std::to_string(exact[k]) + "\n";
  }
  return "";
}
} // namespace

Results<double> interpreted(const Problem &problem, const cpu::TargetInfo &target,
                            const CpuSchedule &schedule, Phase phase) {
  const InterpreterCall call{arraysOf(problem.inputs), arraysOf(problem.parameters), problem.sizes};
  auto arrays = interpretPhase(problem.config, target, schedule, phase, call);
  if (!arrays)
    throw std::runtime_error(llvm::toString(arrays.takeError()));
  const std::vector<HostTensor> outputs = problem.outputs();
  if (arrays->size() != outputs.size())
    throw std::runtime_error("the interpreter returned another number of tensors");
  Results<double> results;
  for (size_t k = 0; k < outputs.size(); ++k) {
    if ((*arrays)[k].shape != outputs[k].sizes)
      throw std::runtime_error(outputs[k].name + " has an unexpected shape");
    (outputs[k].name == "out" ? results.out : results.weights) = *(*arrays)[k].dense().storage;
  }
  return results;
}

std::string compareExactly(const Results<double> &found, const Results<double> &exact) {
  return compareVectors("out", found.out, exact.out) +
         compareVectors("weights", found.weights, exact.weights);
}

} // namespace attune::conformance
