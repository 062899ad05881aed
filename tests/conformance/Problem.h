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
  /// A mask that forbids where it is not zero, not one that is added.
  bool isBool() const { return dtype == ATTUNE_BOOL || dtype == ATTUNE_UINT8; }
  /// Makes every value one that the dtype holds: the nearest, ties to even.
  void roundValues();
};

/// The nearest number of a float dtype.
float roundedTo(attune_dtype dtype, float value);

/// What a call returns, dense; `weights` is empty where the configuration does not ask for them.
template <typename T> struct Results {
  std::vector<T> out, weights;
};

/// A configuration with sizes, inputs and parameters in the interface's order.
struct Problem {
  Config config;
  CallSizes sizes;
  std::vector<HostTensor> inputs, parameters;

  HostTensor *input(const std::string &name);
  const HostTensor *input(const std::string &name) const;
  HostTensor *parameter(const std::string &name);
  const HostTensor *parameter(const std::string &name) const;
  /// Names and sizes of `out` and, if asked for, `weights`, without contents.
  std::vector<HostTensor> outputs() const;
};

/// Replaces sizes by the static ones of the configuration, and the source of self-attention by the
/// target.
CallSizes settledSizes(const Config &config, CallSizes sizes);

/// A problem with all tensors of the right shape, filled with zeros.
Problem emptyProblem(const Config &config, CallSizes sizes);

/// The contents of an input or output that belong to batch element `n`; all of them for a mask that
/// every batch element shares.
std::vector<float> batchPart(const Problem &problem, const HostTensor &whole, int64_t n);

/// The same problem for batch element `n` alone; the configuration's batch must be a run-time size.
Problem batchElement(const Problem &problem, int64_t n);

/// Position of the batch dimension in activations of this configuration; -1 when unbatched.
int batchDimension(const Config &config);

} // namespace attune::conformance

#endif
