//===- ScheduleSelectionTest.cpp ------------------------------------------===//
#include "schedules/database/ScheduleSelection.h"
#include "SampleRecords.h"

using namespace attune;
using namespace attune::test;

namespace {

ScheduleRequest sampleRequest() { return {bestRecord().key, sampleProblem, sampleCpu}; }

/// A winner that can be told by its grain.
ScheduleRecord winner(int grain, ShapeClass shape) {
  ScheduleRecord record = bestRecord();
  record.schedule.grain = grain;
  record.key.shape = shape;
  return record;
}

int grainOf(const std::vector<ScheduleRecord> &records, const ScheduleRequest &request) {
  ScheduleSelection found = selectSchedule(records, request);
  return found.record ? found.record->schedule.grain : 0;
}

} // namespace

TEST(ScheduleSelection, TakesTheNearestShapeClassAndTheLastOfEqualOnes) {
  const ShapeClass near = {8, 512, 1024, 512, true, false, false},
                   far = {8, 4096, 4096, 512, true, false, false};
  const std::vector<ScheduleRecord> records = {winner(1, far), winner(2, near), winner(3, near),
                                               winner(4, far)};
  const ScheduleSelection found = selectSchedule(records, sampleRequest());
  ASSERT_TRUE(found.record);
  EXPECT_EQ(found.record->schedule.grain, 3);
  EXPECT_EQ(found.distance, 2);
  EXPECT_EQ(found.matching, 4);
  ScheduleRequest request = sampleRequest();
  request.key.shape.targetLength = request.key.shape.sourceLength = 8192;
  EXPECT_EQ(grainOf(records, request), 4);
}

TEST(ScheduleSelection, PrefersWhatWasMeasuredOnTheTargetsCpu) {
  std::vector<ScheduleRecord> records = {winner(1, {8, 4096, 4096, 512, true, false, false}),
                                         winner(2, bestRecord().key.shape)};
  records[1].key.microarchitecture = "znver4";
  EXPECT_EQ(grainOf(records, sampleRequest()), 1);
  ScheduleRequest request = sampleRequest();
  request.key.microarchitecture = "x86-64-v3"; // of none of them
  EXPECT_EQ(grainOf(records, request), 2);
}

TEST(ScheduleSelection, TakesOnlyTheSameShapeClassWhereAsked) {
  const ShapeClass same = bestRecord().key.shape;
  ScheduleRequest request = sampleRequest();
  request.onlySameClass = true;
  ShapeClass otherHeads = same, longer = same, full = same;
  otherHeads.heads = 128, longer.sourceLength *= 2, full.isCausal = false;
  EXPECT_EQ(grainOf({winner(1, otherHeads)}, request), 1);
  EXPECT_EQ(grainOf({winner(1, longer)}, request), 0);
  EXPECT_EQ(grainOf({winner(1, full)}, request), 0);
  request.key.shape.heads = 0;
  EXPECT_EQ(grainOf({winner(1, same)}, request), 1);
  request.key.shape.targetLength = 0;
  EXPECT_EQ(grainOf({winner(1, same)}, request), 0);
  request.onlySameClass = false;
  EXPECT_EQ(grainOf({winner(1, same)}, request), 1);
}

TEST(ScheduleSelection, PassesOverWhatIsForSomethingElse) {
  void (*const changes[])(ScheduleRecord &) = {
      [](ScheduleRecord &r) { r.key.op = "attention"; },
      [](ScheduleRecord &r) { r.key.dtype = "bfloat16"; },
      [](ScheduleRecord &r) { r.key.headDim = 80; },
      [](ScheduleRecord &r) { r.key.target = "x86-64-v4"; },
      [](ScheduleRecord &r) { r.key.vectorLanes = 16; },
      [](ScheduleRecord &r) { r.key.vectorRegisters = 32; },
      [](ScheduleRecord &r) { r.kind = RecordKind::Candidate; }};
  for (auto change : changes) {
    ScheduleRecord record = bestRecord();
    change(record);
    const ScheduleSelection found = selectSchedule({record}, sampleRequest());
    EXPECT_FALSE(found.record);
    EXPECT_EQ(found.matching, 0);
  }
  EXPECT_FALSE(selectSchedule({}, sampleRequest()).record);
}

TEST(ScheduleSelection, NeverTakesAnIllegalSchedule) {
  ScheduleRecord illegal = bestRecord();
  illegal.schedule.queryTile = 13;
  ScheduleSelection found = selectSchedule({illegal}, sampleRequest());
  EXPECT_FALSE(found.record);
  EXPECT_EQ(found.illegal.find("query_tile"), 0u) << found.illegal;
  found = selectSchedule({bestRecord(), illegal}, sampleRequest());
  ASSERT_TRUE(found.record);
  EXPECT_EQ(checkSchedule(found.record->schedule, sampleProblem, sampleCpu), "");
  EXPECT_NE(found.illegal, "");
}

TEST(ScheduleSelection, DescribesShapes) {
  EXPECT_EQ(describe(bestRecord().key.shape), "8 heads, L 512, S 512, embed_dim 512, causal");
  EXPECT_EQ(describe({0, 0, 64, 0, false, true, true}),
            "open heads, L open, S 64, masked, weights");
}

TEST(ShippedSchedules, EveryFileIsALegalWinner) {
  EXPECT_FALSE(shippedFiles().empty());
  EXPECT_EQ(shippedRecords().size(), shippedFiles().size());
  for (const ShippedFile &file : shippedFiles()) {
    SCOPED_TRACE(file.name);
    ScheduleRecord record;
    std::string error;
    ASSERT_TRUE(parseRecord(file.text, record, error)) << error;
    EXPECT_EQ(record.kind, RecordKind::Best);
    EXPECT_LT(record.figures->bestMs, record.defaultFigures->bestMs);
    for (const std::string *provenance : {&record.machine, &record.date, &record.version})
      EXPECT_NE(*provenance, "");
    const bool hasProjections = record.key.op == "multihead_attention";
    const ScheduleProblem problem = {hasProjections, record.key.shape.embedDim, record.key.headDim};
    // Caches of the smallest CPUs that the vectors stand for.
    const CpuTraits cpu = {record.key.vectorLanes, record.key.vectorRegisters, 32 << 10, 256 << 10};
    EXPECT_EQ(checkSchedule(record.schedule, problem, cpu), "");
  }
}
