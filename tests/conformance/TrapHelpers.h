//===- TrapHelpers.h - Small calls with results known by hand ---*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_TRAPHELPERS_H
#define ATTUNE_TESTS_CONFORMANCE_TRAPHELPERS_H

#include "RandomProblem.h"

namespace attune::conformance {

/// Compiles a configuration for this CPU with small tiles, so that a few keys make several.
TestModule compiledSmall(const std::string &json);

/// Runs a call, which must succeed.
Results<float> resultsOf(const TestModule &module, const Problem &problem);

/// Fails unless the results of a call are those of the reference, which it returns.
Results<double> expectReference(const TestModule &module, const Problem &problem);

/// A module's problem whose projections hand every row on unchanged, all else 0. Widths are equal.
Problem identityProblem(const TestModule &module, CallSizes sizes);

/// Fails unless `found` is `expected` but for some roundings.
void expectNear(const std::vector<float> &found, const std::vector<double> &expected);

/// `count` times the same number.
std::vector<double> repeated(size_t count, double value);

bool hasNan(const std::vector<float> &values);
bool isAllNan(const std::vector<float> &values);

} // namespace attune::conformance

#endif
