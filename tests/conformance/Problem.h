//===- Problem.h - One call of a configuration, as plain data ---*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_PROBLEM_H
#define ATTUNE_TESTS_CONFORMANCE_PROBLEM_H

#include "attune/attune.h"
#include "frontend/Interface.h"
#include <string>
#include <vector>

namespace attune::conformance {

/// A tensor with dense logical contents; masks hold 0 and non-zero numbers below 256.
struct HostTensor {
  std::string name;
  attune_dtype dtype = ATTUNE_FLOAT32;
  std::vector<int64_t> sizes;
  std::vector<float> values;

  int64_t count() const;
};

/// A configuration with sizes, inputs and parameters in the interface's order.
struct Problem {
  Config config;
  CallSizes sizes;
  std::vector<HostTensor> inputs, parameters;

  HostTensor *input(const std::string &name);
  const HostTensor *input(const std::string &name) const;
  const HostTensor *parameter(const std::string &name) const;
  std::vector<int64_t> outputSizes() const;
};

/// Replaces sizes by the static ones of the configuration, and the source of self-attention by the
/// target.
CallSizes settledSizes(const Config &config, CallSizes sizes);

/// A problem with all tensors of the right shape, filled with zeros.
Problem emptyProblem(const Config &config, CallSizes sizes);

/// The same problem for batch element `n` alone; the configuration's batch must be a run-time size.
Problem batchElement(const Problem &problem, int64_t n);

/// Position of the batch dimension in activations of this configuration; -1 when unbatched.
int batchDimension(const Config &config);

} // namespace attune::conformance

#endif
