//===- random_test.cpp - Random problems against plain loops --------------===//
//
// Each configuration is compiled once and then meets random sizes, contents, masks, layouts and
// places in memory. ATTUNE_TEST_SEED repeats a run, ATTUNE_TEST_CASES lengthens it (cases a
// configuration).
//
//===----------------------------------------------------------------------===//
#include "RandomProblem.h"
#include "Reference.h"
#include "Schedules.h"
#include "Tolerance.h"

#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
struct RandomConfiguration {
  const char *name;
  const char *json;
  const char *target = "host";
  Tiles tiles = Tiles::Default;
  int cases = 20;
  int64_t largestLength = 600;
  double mostWork = 2e7;
};

std::ostream &operator<<(std::ostream &stream, const RandomConfiguration &configuration) {
  return stream << configuration.name;
}

const RandomConfiguration configurations[] = {
#include "random_configurations.inc"
};

uint64_t numberFrom(const char *variable, uint64_t otherwise) {
  const char *text = std::getenv(variable);
  return text && *text ? std::strtoull(text, nullptr, 0) : otherwise;
}

/// NaN times zero may reach a row that does not see it: such elements are not compared.
void forgetSpreadNan(const Problem &problem, std::vector<float> &out, std::vector<double> &exact,
                     std::vector<float> &naive) {
  const std::vector<double> spread = reference<double>(problem, MaskedKeys::TimesZero);
  for (size_t k = 0; k < exact.size(); ++k)
    if (std::isnan(spread[k]) && !std::isnan(exact[k]))
      out[k] = naive[k] = exact[k] = 0;
}

CallStyle randomStyle(Random &random) {
  CallStyle style;
  style.placement = static_cast<Placement>(pick(random, 0, 2));
  style.strided = chance(random, 50);
  style.stridedOutput = chance(random, 50);
  return style;
}

class RandomProblems : public testing::TestWithParam<RandomConfiguration> {
protected:
  void runCase(const TestModule &module, uint64_t seed) {
    const RandomConfiguration &configuration = GetParam();
    Random random(seed);
    const CallSizes sizes =
        randomSizes(module, configuration.largestLength, configuration.mostWork, random);
    RandomProblem drawn = randomProblem(module.config(), sizes, random);
    const CallStyle style = randomStyle(random);
    const int threads = static_cast<int>(pick(random, 1, 3));
    SCOPED_TRACE("ATTUNE_TEST_SEED=" + std::to_string(seed) + ": " + drawn.describe() + ", " +
                 style.describe() + ", " + std::to_string(threads) + " threads\n" +
                 module.describe());
    Outcome outcome = module.run(contexts[threads - 1], drawn.problem, style, random);
    ASSERT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
    EXPECT_EQ(outcome.damage, "");
    std::vector<double> exact = reference<double>(drawn.problem);
    std::vector<float> naive = reference<float>(drawn.problem);
    if (drawn.contents == Contents::NanInKey || drawn.contents == Contents::NanInValue ||
        drawn.contents == Contents::NanInQuery)
      forgetSpreadNan(drawn.problem, outcome.out, exact, naive);
    std::vector<double> slack;
    if (drawn.contents == Contents::LargeLogits || drawn.contents == Contents::GrowingLogits)
      slack = scoreRounding(drawn.problem);
    EXPECT_EQ(compare(outcome.out, exact, naive, slack), "");
  }

  attune::Context contexts[3] = {attune::Context(1), attune::Context(2), attune::Context(3)};
};
} // namespace

TEST_P(RandomProblems, AgreeWithTheReference) {
  const RandomConfiguration &configuration = GetParam();
  const Config config = configOf(configuration.json);
  const cpu::TargetInfo target = targetOf(configuration.target);
  if (!canRun(target))
    GTEST_SKIP() << "this CPU lacks features of " << target.name;
  const TestModule module(config, target,
                          scheduleOf(configuration.tiles, scheduleProblem(config), target.traits));
  const bool oneSeed = std::getenv("ATTUNE_TEST_SEED") && !std::getenv("ATTUNE_TEST_CASES");
  const uint64_t seed = numberFrom("ATTUNE_TEST_SEED", 20260101);
  const uint64_t cases =
      oneSeed ? 1 : numberFrom("ATTUNE_TEST_CASES", static_cast<uint64_t>(configuration.cases));
  for (uint64_t k = 0; k < cases && !HasFailure(); ++k)
    runCase(module, seed + k);
}

INSTANTIATE_TEST_SUITE_P(Configurations, RandomProblems, testing::ValuesIn(configurations),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(TestSchedules, AreLegal) {
  for (const RandomConfiguration &configuration : configurations) {
    const Config config = configOf(configuration.json);
    const CpuTraits traits = targetOf(configuration.target).traits;
    const ScheduleProblem problem = scheduleProblem(config);
    EXPECT_EQ(checkSchedule(scheduleOf(configuration.tiles, problem, traits), problem, traits), "")
        << configuration.name;
  }
}
