//===- ScheduleRecordTest.cpp ---------------------------------------------===//
#include "SampleRecords.h"

using namespace attune;
using namespace attune::test;

namespace {

std::string replaced(std::string text, const std::string &what, const std::string &with) {
  const size_t place = text.find(what);
  EXPECT_NE(place, text.npos) << what;
  return text.replace(place, what.size(), with);
}

} // namespace

TEST(ScheduleRecord, ComesBackFromItsText) {
  for (const ScheduleRecord &record : {bestRecord(), candidateRecord()})
    for (int indent : {-1, 2}) {
      ScheduleRecord again;
      std::string error;
      ASSERT_TRUE(parseRecord(toJson(record, indent), again, error)) << error;
      EXPECT_EQ(toJson(again), toJson(record));
      EXPECT_EQ(again.key, record.key);
      EXPECT_EQ(again.figures, record.figures);
      EXPECT_EQ(again.defaultFigures, record.defaultFigures);
      EXPECT_EQ(knobsText(again.schedule), knobsText(record.schedule));
      EXPECT_EQ(toJson(record).find('\n'), std::string::npos);
    }
}

TEST(ScheduleRecord, TheScheduleSaysWhereItWasMeasured) {
  ScheduleRecord record;
  std::string error;
  ASSERT_TRUE(parseRecord(toJson(bestRecord()), record, error)) << error;
  EXPECT_EQ(record.schedule.provenance.machine, record.machine);
  EXPECT_EQ(record.schedule.provenance.date, record.date);
  EXPECT_EQ(record.schedule.provenance.measured, "best 1.5 ms, default schedule 2 ms");
}

TEST(ScheduleRecord, EveryStatusComesBack) {
  for (CandidateStatus status : {CandidateStatus::Wrong, CandidateStatus::Refused,
                                 CandidateStatus::Crash, CandidateStatus::Hang}) {
    ScheduleRecord record = candidateRecord(), again;
    record.status = status;
    record.figures = std::nullopt;
    record.detail = "why";
    std::string error;
    ASSERT_TRUE(parseRecord(toJson(record), again, error)) << error;
    EXPECT_EQ(again.status, status);
    EXPECT_EQ(again.detail, "why");
  }
}

TEST(ScheduleRecord, RefusesWhatMakesNoSense) {
  const std::string good = toJson(bestRecord());
  const struct {
    std::string text, message;
  } cases[] = {
      {"", "parse error"},
      {"[]", "figures: missing"},
      {"{}", "figures: missing"},
      {replaced(good, "\"format\":1", "\"format\":2"), "format: found 2, expected 1"},
      {replaced(good, "\"kind\":\"best\"", "\"kind\":\"worst\""), "kind: found \"worst\""},
      {replaced(good, "\"kind\"", "\"kin\""), "kin: unknown key"},
      {replaced(good, "\"heads\":8", "\"heads\":9"),
       "shape.heads: found 9, expected a power of two"},
      {replaced(good, "\"heads\":8", "\"heads\":-8"), "shape.heads: found -8"},
      {replaced(good, "\"head_dim\":64", "\"head_dim\":0"), "head_dim: expected a positive number"},
      {replaced(good, "\"threads\":2", "\"threads\":0"), "threads: expected a positive number"},
      {replaced(good, "\"best_ms\":1.5", "\"best_ms\":-1.5"), "expected 0 < best_ms"},
      {replaced(good, "\"best_ms\":1.5", "\"best_ms\":\"1.5\""), "figures.best_ms: found \"1.5\""},
      {replaced(good, "\"best_ms\":1.5", "\"best_ms\":1e999"), "number overflow"},
      {replaced(good, "\"noise\":0.01,", ""), "figures.noise: missing"},
      {replaced(good, "\"status\":\"ok\"", "\"status\":\"crash\""),
       "figures: expected with status"},
      {replaced(good, "\"query_tile\":", "\"query_tiles\":"), "schedule: query_tiles: unknown key"},
      {replaced(good, "\"grain\":1", "\"grain\":1,\"grain\":1"), "grain: duplicate key"},
      {replaced(good, "\"workload\":\"w\"", "\"workload\":\"" + std::string(5000, 'w') + "\""),
       "more than 4096 bytes"},
      {replaced(good, "\"workload\":\"w\"", "\"workload\":\"\\u001b[2J\""), "control characters"},
      {replaced(good, "\"workload\":\"w\"", "\"workload\":\"\\u009b2J\""), "control characters"},
  };
  for (const auto &[text, message] : cases) {
    ScheduleRecord record = candidateRecord();
    std::string error;
    EXPECT_FALSE(parseRecord(text, record, error)) << message;
    EXPECT_NE(error.find(message), std::string::npos) << error << "\nexpected: " << message;
    EXPECT_EQ(toJson(record), toJson(candidateRecord()));
  }
}

TEST(ScheduleRecord, SizesRoundToTheNearestPowerOfTwo) {
  const int64_t cases[][2] = {{0, 0},  {1, 1},   {2, 2},     {3, 4},     {5, 4},      {6, 8},
                              {11, 8}, {12, 16}, {500, 512}, {724, 512}, {725, 1024}, {1024, 1024}};
  for (const auto &[size, rounded] : cases)
    EXPECT_EQ(roundedSize(size), rounded) << size;
}

TEST(ScheduleRecord, DistancesAreThoseOfTheReadme) {
  const ShapeClass base = {8, 512, 1024, 512, false, false, false};
  EXPECT_EQ(distance(base, base), 0);
  auto changed = [&](auto change) {
    ShapeClass other = base;
    change(other);
    EXPECT_EQ(distance(base, other), distance(other, base));
    return distance(base, other);
  };
  EXPECT_EQ(changed([](ShapeClass &s) { s.heads = 32; }), 2);
  EXPECT_EQ(changed([](ShapeClass &s) { s.targetLength = 256; }), 2);
  EXPECT_EQ(changed([](ShapeClass &s) { s.sourceLength = 4096; }), 4);
  EXPECT_EQ(changed([](ShapeClass &s) { s.embedDim = 1024; }), 2);
  EXPECT_EQ(changed([](ShapeClass &s) { s.isCausal = true; }), 2);
  EXPECT_EQ(changed([](ShapeClass &s) { s.isMasked = true; }), 2);
  EXPECT_EQ(changed([](ShapeClass &s) { s.needsWeights = true; }), 8);
  EXPECT_EQ(changed([](ShapeClass &s) { s.heads = 0; }), 1);        // an open size: 16 heads
  EXPECT_EQ(changed([](ShapeClass &s) { s.sourceLength = 0; }), 2); // a length of 512
}
