//===- TunerTest.cpp - Searches that compile and run ----------------------===//
#include "tuner/Tuner.h"
#include "pipeline/Compiler.h"
#include "tuner/CallClock.h"
#include "tuner/ChildProcess.h"
#include "tuner/OutsideSearcher.h"
#include <algorithm>
#include <csignal>
#include <gmock/gmock.h>
#include <llvm/Support/Error.h>
#include <unistd.h>

using namespace attune;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

namespace {

TuningProblem tinyProblem() {
  auto config = parseConfig(
      R"({"name": "tiny", "op": "attention", "module": {"num_heads": 2, "head_dim": 16}})", "tiny");
  CallSizes sizes;
  sizes.target = sizes.source = 40;
  return {llvm::cantFail(std::move(config)), llvm::cantFail(cpu::resolveTarget("host")), sizes, 1};
}

CpuSchedule variant(const TuningProblem &problem, int queryTile) {
  CpuSchedule schedule =
      defaultSchedule({false, 0, problem.config.module.headDim}, problem.target.traits);
  schedule.queryTile = queryTile;
  roundToUnits(schedule, problem.target.traits);
  return schedule;
}

TEST(ChildProcess, GivesBackBytes) {
  const std::string sent = std::string("a\0b", 3) + std::string(1 << 20, 'x');
  ChildResult result = runInChild([&] { return sent; }, 10, nullptr);
  EXPECT_EQ(result.end, ChildResult::End::Finished);
  EXPECT_EQ(result.bytes, sent);
}

TEST(ChildProcess, TellsOfSignalsWithTheLastWords) {
  auto crash = [] {
    fputs("first words\nlast words\n", stderr);
    std::raise(SIGSEGV);
    return std::string();
  };
  ChildResult result = runInChild(crash, 10, nullptr);
  EXPECT_EQ(result.end, ChildResult::End::Crashed);
  EXPECT_EQ(result.detail, "Segmentation fault: last words");
  result = runInChild([]() -> std::string { _exit(3); }, 10, nullptr);
  EXPECT_EQ(result.end, ChildResult::End::Crashed);
  EXPECT_EQ(result.detail, "exit status 3");
}

TEST(ChildProcess, EndsWhatTakesTooLongOrIsStopped) {
  auto hang = []() -> std::string {
    for (;;)
      pause();
  };
  EXPECT_EQ(runInChild(hang, 0.1, nullptr).end, ChildResult::End::TimedOut);
  EXPECT_EQ(runInChild(hang, 100, [] { return true; }).end, ChildResult::End::Stopped);
}

TEST(ChildProcess, RunsSeveralAtOnce) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  // The first waits for the second.
  auto first = [&] {
    char byte = 0;
    return std::string(read(ends[0], &byte, 1), byte);
  };
  auto second = [&] { return std::to_string(write(ends[1], "x", 1)); };
  auto crash = []() -> std::string { _exit(3); };
  auto results = runInChildren({first, second, crash}, 10, nullptr);
  ASSERT_THAT(results, SizeIs(3));
  EXPECT_EQ(results[0].bytes, "x");
  EXPECT_EQ(results[1].bytes, "1");
  EXPECT_EQ(results[2].detail, "exit status 3");
}

TEST(ChildProcess, DoesNotCountTheTimeForWhichBothAreStopped) {
  auto stopBoth = []() -> std::string {
    const pid_t parent = getppid();
    kill(parent, SIGSTOP);
    sleep(3); // as if this one was stopped, too
    kill(parent, SIGCONT);
    usleep(100'000);
    return "done";
  };
  ChildResult result =
      runInChild([&] { return runInChild(stopBoth, 2, nullptr).bytes; }, 20, nullptr);
  EXPECT_EQ(result.bytes, "done");
}

TEST(CallClock, CountsTheWorkOfOneThreadAndTheWaitingOfSeveral) {
  const double alone = callSeconds(1), together = callSeconds(2);
  usleep(50'000);
  EXPECT_LT(callSeconds(1) - alone, 0.04);
  EXPECT_GE(callSeconds(2) - together, 0.05);
}

TEST(CandidateRunner, MeasuresAndSharesKernels) {
  const TuningProblem problem = tinyProblem();
  auto runner = llvm::cantFail(CandidateRunner::create(problem, {}));
  auto first = runner->measure(variant(problem, 12), 1);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, CandidateStatus::Ok) << first->detail;
  EXPECT_THAT(first->milliseconds, SizeIs(Ge(2u)));
  const size_t kernels = runner->kernelCount();
  EXPECT_GT(kernels, 0u);
  auto second = runner->measure(variant(problem, 24), 1);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->status, CandidateStatus::Ok) << second->detail;
  EXPECT_EQ(runner->kernelCount(), kernels);
}

TEST(CandidateRunner, CompilesWhatIsExpectedAtTheSameTime) {
  const TuningProblem problem = tinyProblem();
  RunnerOptions options;
  options.compileProcesses = 2;
  auto runner = llvm::cantFail(CandidateRunner::create(problem, options));
  CpuSchedule other = variant(problem, 12), illegal = other;
  other.scores = {4, 2}; // other kernels
  other.queryTile = 24;
  illegal.queryTile = 7;
  runner->expect({variant(problem, 12), other, illegal});
  EXPECT_EQ(runner->measure(variant(problem, 12), 0)->status, CandidateStatus::Ok);
  const size_t kernels = runner->kernelCount();
  EXPECT_EQ(runner->measure(other, 1)->status, CandidateStatus::Ok);
  EXPECT_EQ(runner->kernelCount(), kernels);
  EXPECT_EQ(runner->measure(illegal, 1)->status, CandidateStatus::Refused);
}

TEST(CandidateRunner, RefusesWhatIsNotLegal) {
  const TuningProblem problem = tinyProblem();
  auto runner = llvm::cantFail(CandidateRunner::create(problem, {}));
  CpuSchedule schedule = variant(problem, 12);
  schedule.queryTile = 7;
  auto measurement = runner->measure(schedule, 1);
  ASSERT_TRUE(measurement);
  EXPECT_EQ(measurement->status, CandidateStatus::Refused);
  EXPECT_THAT(measurement->detail, HasSubstr("query_tile"));
}

/// Query rows of the schedules with a fault: fewer, or more, than a default schedule ever has.
constexpr int fewRows = 12, manyRows = 144;

RunnerOptions faulty(void (*fault)(llvm::ArrayRef<attune_tensor>)) {
  RunnerOptions options;
  options.onChecked = [fault](const CpuSchedule &schedule, llvm::ArrayRef<attune_tensor> outputs) {
    if (schedule.queryTile == fewRows)
      fault(outputs);
  };
  return options;
}

struct Fault {
  const char *name;
  CandidateStatus status;
  void (*fault)(llvm::ArrayRef<attune_tensor>);
};

class Faults : public testing::TestWithParam<Fault> {};

TEST_P(Faults, AreNotedAndTheSearchGoesOn) {
  const TuningProblem problem = tinyProblem();
  TuningOptions options;
  options.candidates = 3;
  options.runner = faulty(GetParam().fault);
  if (GetParam().status == CandidateStatus::Hang)
    options.runner.runSeconds = 5;
  options.restriction = {{"query_tile", {fewRows, 24}}, {"kv_tile", {16}},
                         {"exp2_degree", {6}},          {"scores", {6 * 256 + 2}},
                         {"values", {6 * 256 + 2}},     {"pack_value", {1}}};
  auto result = tune(problem, options);
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  ASSERT_THAT(result->trials, SizeIs(3));
  for (const Trial &trial : result->trials) {
    const bool isFaulty = trial.schedule.queryTile == fewRows;
    EXPECT_EQ(trial.measurement.status, isFaulty ? GetParam().status : CandidateStatus::Ok)
        << trial.measurement.detail;
    EXPECT_EQ(trial.measurement.detail.empty(), !isFaulty);
  }
  EXPECT_TRUE(std::any_of(result->trials.begin(), result->trials.end(),
                          [](const Trial &trial) { return trial.schedule.queryTile == fewRows; }));
  EXPECT_NE(result->best.queryTile, fewRows);
}

const Fault faults[] = {
    {"Crash", CandidateStatus::Crash, [](llvm::ArrayRef<attune_tensor>) { std::raise(SIGILL); }},
    {"Hang", CandidateStatus::Hang,
     [](llvm::ArrayRef<attune_tensor>) {
       for (;;)
         pause();
     }},
    {"Wrong", CandidateStatus::Wrong,
     [](llvm::ArrayRef<attune_tensor> outputs) {
       static_cast<float *>(outputs[0].data)[17] += 1e-3f;
     }},
    {"NotANumber", CandidateStatus::Wrong, [](llvm::ArrayRef<attune_tensor> outputs) {
       static_cast<float *>(outputs[0].data)[0] = NAN;
     }}};
INSTANTIATE_TEST_SUITE_P(Tuner, Faults, testing::ValuesIn(faults),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(Tuner, SaysWhenTheDefaultScheduleFails) {
  const TuningProblem problem = tinyProblem();
  TuningOptions options;
  options.candidates = 3;
  options.runner.onChecked = [](const CpuSchedule &, llvm::ArrayRef<attune_tensor>) { abort(); };
  auto result = tune(problem, options);
  ASSERT_FALSE(bool(result));
  EXPECT_THAT(llvm::toString(result.takeError()), HasSubstr("the default schedule fails: Aborted"));
}

TEST(Tuner, ChecksASmallerCallWhereTheReferenceWouldTakeLong) {
  TuningProblem problem = tinyProblem();
  problem.sizes.target = problem.sizes.source = 1 << 14;
  const CallSizes sizes = checkedSizes(problem);
  EXPECT_LT(sizes.target, 1 << 14);
  EXPECT_GT(sizes.target, 100);
  EXPECT_EQ(sizes.target % 2, 1);
  problem.config.forward.targetLength = 1 << 14;
  EXPECT_EQ(checkedSizes(problem).target, 1 << 14);
}

TEST(Tuner, MeasuresNothingAgainThatIsKnown) {
  const TuningProblem problem = tinyProblem();
  TuningOptions options;
  options.candidates = 3;
  std::vector<std::string> measured;
  options.onTrial = [&](const Trial &trial, double) {
    measured.push_back(knobsText(trial.schedule));
  };
  auto first = tune(problem, options);
  ASSERT_TRUE(bool(first)) << llvm::toString(first.takeError());
  EXPECT_THAT(measured, SizeIs(3));
  for (const Trial &trial : first->trials)
    options.known.push_back({trial.schedule, trial.measurement});
  options.candidates = 4;
  auto second = tune(problem, options);
  ASSERT_TRUE(bool(second)) << llvm::toString(second.takeError());
  EXPECT_THAT(second->trials, SizeIs(4));
  ASSERT_THAT(measured, SizeIs(4));
  EXPECT_EQ(std::count(measured.begin(), measured.end(), measured.back()), 1);
  EXPECT_GT(second->defaultTimes.runs, 0); // the comparison needs what was not timed, too
}

TEST(Tuner, ComparesOutputsOf16BitsInTheirOwnDtype) {
  TuningProblem problem = tinyProblem();
  problem.config.dtype = DType::BFloat16;
  problem.target = targetFor(problem.config, problem.target);
  problem.sizes.target = problem.sizes.source = 400;
  problem.sizes.batch = 50;
  ASSERT_EQ(checkedSizes(problem).batch, 2); // the reference is that of a smaller call
  TuningOptions options;
  options.candidates = 4;
  options.runner.onChecked = [](const CpuSchedule &schedule,
                                llvm::ArrayRef<attune_tensor> outputs) {
    if (outputs[0].dtype != ATTUNE_BFLOAT16)
      abort();
    if (schedule.queryTile == manyRows) // by 16 to 32 of the last place
      static_cast<uint16_t *>(outputs[0].data)[5] += 1 << 5;
  };
  options.restriction = {
      {"query_tile", {48, manyRows}}, {"exp2_degree", {3, 6}}, {"scores", {6 * 256 + 2}},
      {"values", {6 * 256 + 2}},      {"kv_tile", {64}},       {"pack_value", {1}}};
  auto result = tune(problem, options);
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  ASSERT_THAT(result->trials, SizeIs(4));
  int wrong = 0, right = 0;
  for (const Trial &trial : result->trials) {
    const bool isFaulty = trial.schedule.queryTile == manyRows;
    (isFaulty ? wrong : right) += 1;
    EXPECT_EQ(trial.measurement.status, isFaulty ? CandidateStatus::Wrong : CandidateStatus::Ok)
        << trial.measurement.detail;
  }
  EXPECT_GT(wrong, 0);
  EXPECT_GT(right, 1); // with what the default gave for the call that is tuned
}

class Outside : public testing::Test {
protected:
  llvm::Expected<TuningResult> tuneBy(const std::string &command) {
    TuningOptions options;
    options.candidates = 3;
    options.searcher = command;
    return tune(problem, options);
  }
  std::string errorOf(const std::string &command) {
    auto result = tuneBy(command);
    return result ? "none" : llvm::toString(result.takeError());
  }

  const TuningProblem problem = tinyProblem();
};

TEST_F(Outside, ChoosesTheSchedules) {
  auto result = tuneBy(R"(read space; echo '{"id": 1, "knobs": {"query_tile": 24}}'; read answer
    echo '{"id": 2, "knobs": {"query_tile": "12", "scores": "99x1"}}'; read answer
    echo "$answer" | grep -q '"status":"illegal"' || exit 3)");
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  ASSERT_THAT(result->trials, SizeIs(2)); // with the default
  EXPECT_EQ(result->trials[1].schedule.queryTile, 24);
}

TEST_F(Outside, IsToldWhenItIsOver) {
  auto result = tuneBy(R"(read space; for k in 12 24 36 48 60; do
    echo "{\"knobs\": {\"query_tile\": $k}}"; read answer || exit 0; done)");
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  EXPECT_THAT(result->trials, SizeIs(3));
}

TEST_F(Outside, MistakesAreErrors) {
  EXPECT_THAT(errorOf("read space; echo nonsense; sleep 9"),
              HasSubstr("line 1 of the searcher: no JSON"));
  EXPECT_THAT(errorOf("read space; echo '{\"try\": 1}'; sleep 9"), HasSubstr("\"knobs\""));
  EXPECT_THAT(errorOf("exit 4"), HasSubstr("the searcher ended with status 4"));
  EXPECT_THAT(errorOf("no-such-program-anywhere"), HasSubstr("status 127"));
}

} // namespace
