//===- RandomProblem.h - Sizes, values and masks that find mistakes -*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_RANDOMPROBLEM_H
#define ATTUNE_TESTS_CONFORMANCE_RANDOMPROBLEM_H

#include "RandomMasks.h"

namespace attune::conformance {

/// What the numbers of a problem are like.
enum class Contents {
  Normal,
  LargeLogits,   ///< scores up to about +-1e4
  EqualLogits,   ///< all scores 0
  GrowingLogits, ///< the maximum lies in the last tile
  TinyValues,    ///< denormal values
  FiniteMinima,  ///< float masks hide by the lowest float and -1e9 instead of -infinity
  NanInKey,      ///< one NaN
  NanInValue,    ///< one NaN
  NanInQuery,    ///< one NaN
};
inline constexpr int contentsCount = 9;

struct RandomProblem {
  Problem problem;
  Contents contents = Contents::Normal;
  bool poisoned = false; ///< NaN and infinity in padded keys and values

  std::string describe() const;
  bool hasNan() const { return poisoned || contents >= Contents::NanInKey; }
};

/// Multiples of these cut loops; one element more or less makes another tail.
struct TileUnits {
  std::vector<int64_t> target, source;
  MaskGrid grid;

  TileUnits(const CpuSchedule &schedule, const CpuTraits &cpu);
};

struct SizeLimits {
  int64_t largestLength;
  /// Bounds the multiplications of the naive loops that check the result.
  double mostWork;
};

/// Sizes around the multiples of everything that cuts loops, 0 and 1 included.
CallSizes randomSizes(const Config &config, const TileUnits &units, const SizeLimits &limits,
                      Random &random);

/// Normally distributed inputs, parameters of a trained module's size, random masks.
Problem normalProblem(const Config &config, CallSizes sizes, Random &random,
                      const MaskGrid &grid = {}, HiddenBy hiddenBy = HiddenBy::Infinity);

/// As normalProblem, with contents drawn by chance.
RandomProblem randomProblem(const Config &config, CallSizes sizes, const MaskGrid &grid,
                            Random &random);

} // namespace attune::conformance

#endif
