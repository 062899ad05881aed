//===- phases_test.cpp - Both interpreters against plain loops ------------===//
//
// Graph IR and tile IR of every configuration of the random tests, run on small problems in
// float64. Where the compiled code is wrong, this tells which half of the compiler is.
// ATTUNE_TEST_SEED and ATTUNE_TEST_CASES work as in random_test.cpp.
//
//===----------------------------------------------------------------------===//
#include "Interpreted.h"
#include "Reference.h"
#include "TestConfigurations.h"
#include "Tolerance.h"

#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
/// Three tiles in each direction, where tiles are small.
SizeLimits smallLimits(const CpuSchedule &schedule, const SizeLimits &limits) {
  const int64_t length = 3 * std::max(schedule.queryTile, schedule.kvTile);
  return {std::min(length, limits.largestLength), std::min(limits.mostWork, 4e5)};
}

/// Float32 rounds away the score under -1e9, float64 does not.
RandomProblem problemFor(const Config &config, CallSizes sizes, const MaskGrid &grid,
                         Random &random) {
  for (;;)
    if (RandomProblem drawn = randomProblem(config, sizes, grid, random);
        drawn.contents != Contents::FiniteMinima)
      return drawn;
}

Results<float> toFloat(const Results<double> &results) {
  return {{results.out.begin(), results.out.end()},
          {results.weights.begin(), results.weights.end()}};
}

class Interpreters : public testing::TestWithParam<TestConfiguration> {};
} // namespace

TEST_P(Interpreters, AgreeWithTheReference) {
  const TestConfiguration &configuration = GetParam();
  const Config config = configOf(configuration.json);
  const cpu::TargetInfo target = targetFor(config, targetOf(configuration.target));
  const CpuSchedule schedule =
      scheduleOf(configuration.tiles, scheduleProblem(config), target.traits);
  const TileUnits units(schedule, target.traits);
  const SizeLimits limits = smallLimits(schedule, configuration.limits);
  const Seeds seeds = seedsFor(configuration, 4);
  for (uint64_t k = 0; k < seeds.count && !HasFailure(); ++k) {
    Random random(seeds.first + k);
    const CallSizes sizes = randomSizes(config, units, limits, random);
    const RandomProblem drawn = problemFor(config, sizes, units.grid, random);
    const Results<double> exact = reference<double>(drawn.problem);
    for (Phase phase : interpretedPhases) {
      SCOPED_TRACE("phase " + std::string(phaseInfo(phase).name) + "; repeat with\n" +
                   repeatCommand(seeds.first + k) + "\n" + drawn.describe() + "\nconfig " +
                   configuration.json + "\nschedule " + toJson(schedule));
      Results<double> found = interpreted(drawn.problem, target, schedule, phase);
      if (drawn.hasNan())
        forgiveSpreadNan(drawn.problem, found, exact);
      // Keys, values and weights in pairs of bfloat16 are rounded, even in float64.
      const bool isRounded =
          phase == Phase::Tiles && target.traits.pairProducts != PairProducts::None;
      EXPECT_EQ(isRounded ? compare(toFloat(found), exact, reference<float>(drawn.problem))
                          : compareExactly(found, exact),
                "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Configurations, Interpreters, testing::ValuesIn(testConfigurations()),
                         [](const auto &info) { return std::string(info.param.name); });
