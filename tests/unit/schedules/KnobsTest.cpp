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

/// A call of few query rows under a schedule with some fields changed.
double decodeCycles(const CallShape &call, int fewRows, int splitKeys, int kvTile = 128,
                    const ScheduleProblem &problem = {false, 0, 128}) {
  CpuSchedule schedule = defaultSchedule(problem, avx2);
  schedule.fewRows = fewRows;
  schedule.splitKeys = splitKeys;
  schedule.kvTile = kvTile;
  EXPECT_EQ(checkSchedule(schedule, problem, avx2), "");
  return predictCycles(schedule, problem, avx2, call);
}

const CallShape decode{.batch = 1, .heads = 32, .target = 1, .source = 4096};

TEST(CostModel, ReadsKeysOfFewRowsOnce) {
  // About half the time was measured, for one row as for four.
  for (int64_t rows : {1, 4}) {
    CallShape call = decode;
    call.target = rows;
    EXPECT_LT(decodeCycles(call, 8, 512), 0.8 * decodeCycles(call, 0, 512)) << rows;
  }
  CallShape many = decode;
  many.target = 16; // more than either takes for few
  EXPECT_EQ(decodeCycles(many, 8, 512), decodeCycles(many, 0, 512));
  // At least what memory takes to deliver them, at some bytes a cycle, and not much more.
  const double bytes = 2.0 * 32 * 4096 * 128 * 4;
  EXPECT_GT(decodeCycles(decode, 8, 512), bytes / 10);
  EXPECT_LT(decodeCycles(decode, 8, 512), bytes / 2);
  ScheduleProblem sixteen{false, 0, 128};
  sixteen.is16Bit = true;
  EXPECT_LT(decodeCycles(decode, 8, 512, 128, sixteen), 0.7 * decodeCycles(decode, 8, 512));
}

TEST(CostModel, WeighsSplitsForThreadsAgainstMerging) {
  CallShape oneHead = decode;
  oneHead.heads = 1;
  EXPECT_LT(decodeCycles(oneHead, 8, 2048), decodeCycles(oneHead, 8, 256));
  oneHead.threads = 4; // two splits leave two threads without work
  EXPECT_LT(decodeCycles(oneHead, 8, 512), 0.7 * decodeCycles(oneHead, 8, 2048));
  // Many heads are work for all threads as they are. The kernels of a tile are called as often.
  CallShape many = decode;
  many.threads = 4;
  EXPECT_LT(decodeCycles(many, 8, 2048), decodeCycles(many, 8, 256));
  EXPECT_NEAR(decodeCycles(many, 8, 2048) / decodeCycles(many, 8, 512), 1, 0.05);
  EXPECT_LT(decodeCycles(decode, 8, 512, 128), decodeCycles(decode, 8, 512, 32));
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
