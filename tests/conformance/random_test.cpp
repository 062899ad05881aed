//===- random_test.cpp - Random problems against plain loops --------------===//
//
// Each configuration is compiled once and then meets random sizes, contents, masks, layouts and
// places in memory. ATTUNE_TEST_SEED repeats a case, ATTUNE_TEST_CASES sets how many there are.
//
//===----------------------------------------------------------------------===//
#include "Reference.h"
#include "TestConfigurations.h"
#include "Tolerance.h"

#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
CallStyle randomStyle(Random &random) {
  CallStyle style;
  style.placement = static_cast<Placement>(pick(random, 0, 2));
  style.strided = chance(random, 50);
  style.stridedOutput = chance(random, 50);
  return style;
}

/// What sums of a few hundred products lose with every operand below 2^-126.
void allowSubnormals(Results<double> &slack, const Results<double> &exact) {
  constexpr double lost = 1e-35;
  slack.out.resize(exact.out.size());
  slack.weights.resize(exact.weights.size());
  for (double &element : slack.out)
    element += lost;
}

class RandomProblems : public testing::TestWithParam<TestConfiguration> {
protected:
  void runCase(const TestModule &module, uint64_t seed) {
    Random random(seed);
    const TileUnits units(module.result().schedule, module.result().target.traits);
    const CallSizes sizes = randomSizes(module.config(), units, GetParam().limits, random);
    RandomProblem drawn = randomProblem(module.config(), sizes, units.grid, random);
    const CallStyle style = randomStyle(random);
    const int threads = static_cast<int>(pick(random, 1, 3));
    SCOPED_TRACE("repeat with\n" + repeatCommand(seed) + "\n" + drawn.describe() + ", " +
                 style.describe() + ", " + std::to_string(threads) + " threads\n" +
                 module.describe());
    Outcome outcome = module.run(contexts[threads - 1], drawn.problem, style, random);
    ASSERT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
    EXPECT_EQ(outcome.damage, "");
    const Results<double> exact = reference<double>(drawn.problem);
    const Results<float> naive = reference<float>(drawn.problem);
    if (drawn.hasNan())
      forgiveSpreadNan(drawn.problem, outcome, exact);
    Results<double> slack;
    if (drawn.contents == Contents::LargeLogits || drawn.contents == Contents::GrowingLogits)
      slack = scoreRounding(drawn.problem);
    // Products of bfloat16 in pairs take subnormal numbers for zero.
    if (module.result().target.traits.pairProducts != PairProducts::None)
      allowSubnormals(slack, exact);
    EXPECT_EQ(compare(outcome, exact, naive, slack), "");
  }

  attune::Context contexts[3] = {attune::Context(1), attune::Context(2), attune::Context(3)};
};
} // namespace

TEST_P(RandomProblems, AgreeWithTheReference) {
  const TestConfiguration &configuration = GetParam();
  const Config config = configOf(configuration.json);
  const cpu::TargetInfo target = targetFor(config, targetOf(configuration.target));
  if (!canRun(target))
    GTEST_SKIP() << "this CPU lacks features of " << target.name;
  const TestModule module(config, target,
                          scheduleOf(configuration.tiles, scheduleProblem(config), target.traits));
  const Seeds seeds = seedsFor(configuration, configuration.cases);
  for (uint64_t k = 0; k < seeds.count && !HasFailure(); ++k)
    runCase(module, seeds.first + k);
}

INSTANTIATE_TEST_SUITE_P(Configurations, RandomProblems, testing::ValuesIn(testConfigurations()),
                         [](const auto &info) { return std::string(info.param.name); });
