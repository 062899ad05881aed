//===- TuneRecordsTest.cpp - What a search leaves in the database ---------===//
#include "TuneRecords.h"

#include "tests/unit/schedules/SampleRecords.h"
#include <gmock/gmock.h>

namespace attune::tool {
namespace {

using testing::SizeIs;

class TuneRecordsTest : public test::DatabaseTest {
protected:
  TuneRecordsTest() {
    problem.sizes.target = problem.sizes.source = 40;
    result.defaultSchedule = result.best = test::bestRecord().schedule;
    result.defaultTimes = result.bestTimes = {1.5, 1.6, 10};
  }

  void addBest(const TuningResult &outcome) {
    const ScheduleDatabase written = database();
    llvm::Error error = TuneRecords(written, problem).addBest(outcome);
    EXPECT_FALSE(bool(error)) << llvm::toString(std::move(error));
  }

  TuningResult faster() const {
    TuningResult outcome = result;
    outcome.isFaster = true;
    outcome.best.grain += 1;
    outcome.bestTimes = {1.2, 1.3, 10};
    return outcome;
  }

  TuningProblem problem = {
      llvm::cantFail(parseConfig(
          R"({"name": "t", "op": "attention", "module": {"num_heads": 2, "head_dim": 64}})", "t")),
      llvm::cantFail(cpu::resolveTarget("x86-64-v3")), CallSizes(), 1};
  TuningResult result; ///< of a search that the default won
};

TEST_F(TuneRecordsTest, KeepTheDefaultWhereNothingWasFaster) {
  addBest(result);
  addBest(result); // says nothing new
  const std::vector<ScheduleRecord> records = load();
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].kind, RecordKind::Best);
  EXPECT_EQ(knobsText(records[0].schedule), knobsText(result.defaultSchedule));
  EXPECT_EQ(records[0].figures, records[0].defaultFigures);
}

TEST_F(TuneRecordsTest, KeepAWinnerBehindADefaultAndNoDefaultBehindAWinner) {
  addBest(result);
  addBest(faster());
  addBest(result);
  std::vector<ScheduleRecord> records = load();
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(knobsText(records[1].schedule), knobsText(faster().best));
  EXPECT_LT(records[1].figures->bestMs, records[1].defaultFigures->bestMs);
  problem.config.forward.isCausal = true; // another shape class has an outcome of its own
  addBest(result);
  EXPECT_THAT(load(), SizeIs(3));
}
} // namespace
} // namespace attune::tool
