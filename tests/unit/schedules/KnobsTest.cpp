//===- KnobsTest.cpp - What may be varied, and what it should cost --------===//
#include "schedules/Knobs.h"
#include "schedules/CostModel.h"
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <set>

using namespace attune;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

const CpuTraits avx2{
    .vectorLanes = 8, .vectorRegisters = 16, .l1Bytes = 32 << 10, .l2Bytes = 512 << 10};
const ScheduleProblem core64{false, 0, 64}, module{true, 768, 64};
const CallShape square{.batch = 1, .heads = 12, .target = 1024, .source = 1024};

const Knob &knob(const std::string &name) {
  for (const Knob &knob : knobs())
    if (knob.name == name)
      return knob;
  throw std::out_of_range(name);
}

TEST(Knobs, CoverEveryFieldOfASchedule) {
  std::set<std::string> names;
  for (const Knob &knob : knobs())
    EXPECT_TRUE(names.insert(knob.name).second) << knob.name;
  nlohmann::json fields = nlohmann::json::parse(toJson(defaultSchedule(module, avx2)));
  fields.erase("provenance");
  std::set<std::string> keys;
  for (const auto &[key, value] : fields.items())
    keys.insert(key);
  EXPECT_EQ(names, keys);
}

TEST(Knobs, SetWhatTheyGet) {
  for (const ScheduleProblem &problem : {core64, module})
    for (const Knob &knob : knobs())
      for (int64_t value : knob.values(problem, avx2)) {
        CpuSchedule schedule;
        knob.set(schedule, value);
        EXPECT_EQ(knob.get(schedule), value) << knob.name;
        int64_t parsed = 0;
        EXPECT_TRUE(parseKnobValue(knob, problem, avx2, knob.text(value), parsed)) << knob.name;
        EXPECT_EQ(parsed, value) << knob.name;
      }
}

TEST(Knobs, EveryValueIsLegalBesideSomeOthers) {
  // Blocks must fit the registers, whatever else there is.
  CpuSchedule schedule = defaultSchedule(module, avx2);
  for (const Knob &knob : knobs())
    for (int64_t value : knob.values(module, avx2)) {
      CpuSchedule changed = schedule;
      knob.set(changed, value);
      if (knob.unit)
        roundToUnits(changed, avx2);
      changed.queryTile = std::min(changed.queryTile, 96);
      roundToUnits(changed, avx2);
      EXPECT_EQ(checkSchedule(changed, module, avx2), "") << knob.name << " " << knob.text(value);
    }
}

TEST(Knobs, NumbersMayBeAnyBlocksOnlyThoseThatFit) {
  int64_t value = 0;
  EXPECT_TRUE(parseKnobValue(knob("query_tile"), core64, avx2, "18", value));
  EXPECT_EQ(value, 18);
  EXPECT_FALSE(parseKnobValue(knob("query_tile"), core64, avx2, "18x", value));
  EXPECT_FALSE(parseKnobValue(knob("query_tile"), core64, avx2, "", value));
  EXPECT_TRUE(parseKnobValue(knob("scores"), core64, avx2, "6x2", value));
  EXPECT_FALSE(parseKnobValue(knob("scores"), core64, avx2, "6x4", value));
  EXPECT_TRUE(parseKnobValue(knob("pack_value"), core64, avx2, "as_is", value));
  EXPECT_FALSE(parseKnobValue(knob("pack_value"), module, avx2, "as_is", value));
}

TEST(Knobs, KeepExponentialsAsAccurateAsTheResults) {
  ScheduleProblem sixteen = core64;
  sixteen.is16Bit = true;
  EXPECT_THAT(knob("exp2_degree").values(core64, avx2), ElementsAre(6));
  EXPECT_THAT(knob("exp2_degree").values(sixteen, avx2), ElementsAre(3, 4, 5, 6));
  int64_t value = 0;
  EXPECT_FALSE(parseKnobValue(knob("exp2_degree"), core64, avx2, "5", value));
  EXPECT_TRUE(parseKnobValue(knob("exp2_degree"), sixteen, avx2, "5", value));
  EXPECT_FALSE(parseKnobValue(knob("exp2_degree"), sixteen, avx2, "2", value));
}

TEST(Knobs, RoundToTheNearestMultiple) {
  CpuSchedule schedule = defaultSchedule(core64, avx2);
  schedule.scores = {4, 3};
  schedule.values = {6, 2};
  schedule.queryTile = 50;
  schedule.kvTile = 8;
  roundToUnits(schedule, avx2);
  EXPECT_EQ(schedule.queryTile, 48);
  EXPECT_EQ(schedule.kvTile, 24);
}

TEST(CostModel, CountsMoreForMoreWork) {
  const CpuSchedule schedule = defaultSchedule(core64, avx2);
  const double cycles = predictCycles(schedule, core64, avx2, square);
  // Between the FMA peak and a tenth of it.
  const double peak = 2.0 * 12 * 1024 * 1024 * 64 / 8 / 2;
  EXPECT_GT(cycles, peak);
  EXPECT_LT(cycles, 10 * peak);
  CallShape causal = square, twice = square;
  causal.isCausal = true;
  twice.batch = 2;
  EXPECT_LT(predictCycles(schedule, core64, avx2, causal), 0.7 * cycles);
  EXPECT_NEAR(predictCycles(schedule, core64, avx2, twice) / cycles, 2, 0.01);
}

TEST(CostModel, KnowsWhatIsSlow) {
  const CpuSchedule schedule = defaultSchedule(core64, avx2);
  const double cycles = predictCycles(schedule, core64, avx2, square);
  CpuSchedule narrow = schedule, tiny = schedule;
  narrow.scores = {1, 2}; // two chains do not hide latency
  EXPECT_GT(predictCycles(narrow, core64, avx2, square), 1.2 * cycles);
  tiny.queryTile = 6; // keys come from L2 for every block
  EXPECT_GT(predictCycles(tiny, core64, avx2, square), 1.1 * cycles);
}

TEST(CostModel, CountsWorkersThatWait) {
  CallShape four = square;
  four.heads = 3;
  four.threads = 2;
  CpuSchedule tiles = defaultSchedule(core64, avx2), heads = tiles;
  tiles.headsPerWorker = 8;
  heads.headsPerWorker = 0; // three heads for two workers
  EXPECT_GT(predictCycles(heads, core64, avx2, four),
            1.2 * predictCycles(tiles, core64, avx2, four));
}

} // namespace
