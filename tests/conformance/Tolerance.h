//===- Tolerance.h - When a result counts as right --------------*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_TOLERANCE_H
#define ATTUNE_TESTS_CONFORMANCE_TOLERANCE_H

#include "Problem.h"
#include <string>
#include <vector>

namespace attune::conformance {

/// Compares a tensor with the float64 truth: the largest absolute error may be twice that of
/// `naive`, another float32 result, plus 1e-6 of the largest magnitude of the truth. NaN must meet
/// NaN, infinity the same infinity. `slack`, if given, is allowed on top, element by element.
/// Returns "" when all is well, else what is wrong and where.
std::string compare(const std::vector<float> &out, const std::vector<double> &exact,
                    const std::vector<float> &naive, const std::vector<double> &slack = {});

/// The same for all results of a call.
std::string compare(const Results<float> &found, const Results<double> &exact,
                    const Results<float> &naive, const Results<double> &slack = {});

} // namespace attune::conformance

#endif
