//===- sweep_test.cpp - Every remainder of every tile ---------------------===//
//
// Where random_test.cpp draws lengths, this takes all of them: 0 to two tiles and one more.
//
//===----------------------------------------------------------------------===//
#include "RandomProblem.h"
#include "Reference.h"
#include "Schedules.h"
#include "Tolerance.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
struct SweepConfiguration {
  const char *name;
  const char *json;
  const char *target;
  Tiles tiles;
};

std::ostream &operator<<(std::ostream &stream, const SweepConfiguration &configuration) {
  return stream << configuration.name;
}

const SweepConfiguration configurations[] = {
    {"core_causal_small", R"({"op":"attention","module":{"num_heads":1,"head_dim":5},
       "forward":{"is_causal":true}})",
     "host", Tiles::Small},
    {"core_bool_causal_small_sse", R"({"op":"attention","fully_masked_rows":"nan",
       "module":{"num_heads":2,"head_dim":6},
       "forward":{"is_causal":true,"attn_mask":"bool_2d"}})",
     "x86-64", Tiles::Small},
    {"core_float_odd_v3", R"({"op":"attention","module":{"num_heads":1,"head_dim":9},
       "forward":{"attn_mask":"float_2d"}})",
     "x86-64-v3", Tiles::Odd},
    {"core_minimal_v3", R"({"op":"attention","module":{"num_heads":1,"head_dim":4},
       "forward":{"is_causal":true}})",
     "x86-64-v3", Tiles::Minimal},
    {"module_small_sse", R"({"module":{"embed_dim":10,"num_heads":2},
       "forward":{"need_weights":false,"is_causal":true}})",
     "x86-64", Tiles::Small},
    {"module_odd_v3", R"({"module":{"embed_dim":6,"num_heads":1,"batch_first":true},
       "forward":{"need_weights":false,"attn_mask":"bool_2d"}})",
     "x86-64-v3", Tiles::Odd},
};

/// All pairs of lengths up to these.
void sweep(const TestModule &module, int64_t mostTarget, int64_t mostSource) {
  const attune::Context context(2);
  Random random(21);
  for (int64_t target = 0; target <= mostTarget; ++target)
    for (int64_t source = 0; source <= mostSource && !testing::Test::HasFailure(); ++source) {
      Problem problem = normalProblem(module.config(), {1, target, source}, random);
      CallStyle style;
      style.placement = chance(random, 50) ? Placement::AtEnd : Placement::AtStart;
      const Outcome outcome = module.run(context, problem, style, random);
      SCOPED_TRACE("L=" + std::to_string(target) + " S=" + std::to_string(source) + "\n" +
                   module.describe());
      ASSERT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
      EXPECT_EQ(outcome.damage, "");
      EXPECT_EQ(compare(outcome.out, reference<double>(problem), reference<float>(problem)), "");
    }
}

class Sweep : public testing::TestWithParam<SweepConfiguration> {};
} // namespace

TEST_P(Sweep, AllLengthsOfTwoTiles) {
  const SweepConfiguration &configuration = GetParam();
  const Config config = configOf(configuration.json);
  const cpu::TargetInfo target = targetOf(configuration.target);
  if (!canRun(target))
    GTEST_SKIP() << "this CPU lacks features of " << target.name;
  const CpuSchedule schedule =
      scheduleOf(configuration.tiles, scheduleProblem(config), target.traits);
  const TestModule module(config, target, schedule);
  sweep(module, std::max(2 * schedule.queryTile, 2 * schedule.projectionRows) + 1,
        2 * schedule.kvTile + 1);
}

INSTANTIATE_TEST_SUITE_P(Configurations, Sweep, testing::ValuesIn(configurations),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(DefaultSchedule, OneLengthAtATime) {
  for (const char *json : {R"({"op":"attention","module":{"num_heads":1,"head_dim":16},
                               "forward":{"is_causal":true}})",
                           R"({"module":{"embed_dim":16,"num_heads":1},
                               "forward":{"need_weights":false}})"}) {
    const TestModule module(json);
    const CpuSchedule &schedule = module.result().schedule;
    sweep(module, 1, 2 * schedule.kvTile + 1);
    sweep(module, 2 * schedule.queryTile + 1, 1);
  }
}
