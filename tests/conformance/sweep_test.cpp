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
    {"core_bool_3d_small_sse", R"({"op":"attention","module":{"num_heads":2,"head_dim":6},
       "forward":{"attn_mask":"bool_3d"}})",
     "x86-64", Tiles::Small},
    {"core_float_3d_padding_small_sse", R"({"op":"attention","fully_masked_rows":"nan",
       "module":{"num_heads":2,"head_dim":4},
       "forward":{"attn_mask":"float_3d","key_padding_mask":"bool"}})",
     "x86-64", Tiles::Small},
    {"core_padding_causal_odd_sse", R"({"op":"attention","module":{"num_heads":1,"head_dim":8},
       "forward":{"key_padding_mask":"float","is_causal":true}})",
     "x86-64", Tiles::Odd},
    {"core_window_small_sse", R"_({"op":"attention",
       "score":"where(j < 2 or i - j <= 9 and j <= i, s, -inf)",
       "module":{"num_heads":2,"head_dim":5},"forward":{"attn_mask":"bool_2d"}})_",
     "x86-64", Tiles::Small},
    {"core_weights_causal_small_sse", R"({"op":"attention","module":{"num_heads":2,"head_dim":7},
       "forward":{"is_causal":true,"need_weights":true,"average_attn_weights":false}})",
     "x86-64", Tiles::Small},
    {"core_weights_padding_odd_v3", R"({"op":"attention","fully_masked_rows":"nan",
       "module":{"num_heads":2,"head_dim":3},
       "forward":{"attn_mask":"bool_3d","key_padding_mask":"bool","need_weights":true}})",
     "x86-64-v3", Tiles::Odd},
    {"module_appended_small_sse", R"({"module":{"embed_dim":8,"num_heads":2,"add_bias_kv":true,
         "add_zero_attn":true,"kdim":5},
       "forward":{"need_weights":false,"attn_mask":"bool_2d","is_causal":true}})",
     "x86-64", Tiles::Small},
    {"module_appended_weights_small_sse", R"({"module":{"embed_dim":6,"num_heads":2,
         "add_bias_kv":true,"vdim":9},
       "forward":{"attn_mask":"float_2d","key_padding_mask":"bool"}})",
     "x86-64", Tiles::Small},
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
  const TileUnits units(module.result().schedule, module.result().target.traits);
  Random random(21);
  for (int64_t target = 0; target <= mostTarget; ++target)
    for (int64_t source = 0; source <= mostSource && !testing::Test::HasFailure(); ++source) {
      Problem problem = normalProblem(module.config(), {1, target, source}, random, units.grid);
      CallStyle style;
      style.placement = chance(random, 50) ? Placement::AtEnd : Placement::AtStart;
      const Outcome outcome = module.run(context, problem, style, random);
      SCOPED_TRACE("L=" + std::to_string(target) + " S=" + std::to_string(source) + "\n" +
                   module.describe());
      ASSERT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
      EXPECT_EQ(outcome.damage, "");
      EXPECT_EQ(compare(outcome, reference<double>(problem), reference<float>(problem)), "");
    }
}

class Sweep : public testing::TestWithParam<SweepConfiguration> {};
} // namespace

TEST_P(Sweep, AllLengthsOfTwoTiles) {
  const SweepConfiguration &configuration = GetParam();
  const Config config = configOf(configuration.json);
  const cpu::TargetInfo target = targetFor(config, targetOf(configuration.target));
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
                               "forward":{"need_weights":false}})",
                           R"({"module":{"embed_dim":16,"num_heads":2,"add_bias_kv":true},
                               "forward":{"attn_mask":"bool_3d","key_padding_mask":"bool"}})"}) {
    const TestModule module(json);
    const CpuSchedule &schedule = module.result().schedule;
    sweep(module, 1, 2 * schedule.kvTile + 1);
    sweep(module, 2 * schedule.queryTile + 1, 1);
  }
}
