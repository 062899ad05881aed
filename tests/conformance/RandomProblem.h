//===- RandomProblem.h - Sizes, values and masks that find mistakes -*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_RANDOMPROBLEM_H
#define ATTUNE_TESTS_CONFORMANCE_RANDOMPROBLEM_H

#include "TestModule.h"

namespace attune::conformance {

/// What the numbers of a problem are like.
enum class Contents {
  Normal,
  LargeLogits,   ///< scores up to about +-1e4
  EqualLogits,   ///< all scores 0
  GrowingLogits, ///< the maximum lies in the last tile
  TinyValues,    ///< denormal values
  NanInKey,      ///< one NaN
  NanInValue,    ///< one NaN
  NanInQuery,    ///< one NaN
};
inline constexpr int contentsCount = 8;

struct RandomProblem {
  Problem problem;
  Contents contents = Contents::Normal;

  std::string describe() const;
};

/// Sizes around the multiples of everything that cuts loops, 0 and 1 included. `mostWork` bounds
/// the multiplications of the naive loops that check the result; 2e7 of them take some 50 ms.
CallSizes randomSizes(const TestModule &module, int64_t largestLength, double mostWork,
                      Random &random);

/// Normally distributed inputs, parameters of a trained module's size, random masks.
Problem normalProblem(const Config &config, CallSizes sizes, Random &random);

/// As normalProblem, with contents drawn by chance and all kinds of masks.
RandomProblem randomProblem(const Config &config, CallSizes sizes, Random &random);

} // namespace attune::conformance

#endif
