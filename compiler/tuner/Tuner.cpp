//===- Tuner.cpp - The fastest schedule for a call ------------------------===//
#include "tuner/Tuner.h"

#include "pipeline/Compiler.h"
#include "tuner/OutsideSearcher.h"
#include <algorithm>
#include <chrono>
#include <climits>

using namespace llvm;

namespace attune {

namespace {
constexpr size_t kFinalists = 3;
constexpr double kComparedSeconds = 4; ///< of each of the two comparisons

ComparedTimes summary(const std::vector<double> &times) {
  return {*std::min_element(times.begin(), times.end()), medianOf(times), int(times.size())};
}

/// The tuner's state: the objective with its deadline, and the search over it.
class Tuning : Objective {
public:
  Tuning(const TuningProblem &problem, const TuningOptions &options)
      : problem(problem), options(options),
        space(scheduleProblem(problem.config), problem.target.traits, problem.shape(),
              options.restriction) {}

  Expected<TuningResult> run() {
    start = std::chrono::steady_clock::now();
    RunnerOptions runnerOptions = options.runner;
    runnerOptions.fastestMs = fastestKnownMs();
    auto created = CandidateRunner::create(problem, runnerOptions);
    if (!created)
      return created.takeError();
    runner = std::move(*created);
    result.defaultSchedule = result.best = space.defaultSchedule();
    if (Error error = search())
      return std::move(error);
    result.seconds = seconds();
    result.isStopped = isStopped();
    if (!result.isStopped)
      if (Error error = compare())
        return std::move(error);
    return std::move(result);
  }

private:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  bool isStopped() const { return options.runner.stop && options.runner.stop(); }

  double fastestKnownMs() const {
    double least = 0;
    for (const auto &[schedule, measurement] : options.known)
      for (double time : measurement.milliseconds)
        least = least > 0 ? std::min(least, time) : time;
    return least;
  }

  bool isDefaultKnown() const {
    return any_of(options.known, [&](const auto &known) {
      return known.second.status == CandidateStatus::Ok &&
             knobsText(known.first) == knobsText(space.defaultSchedule());
    });
  }

  std::optional<Measurement> measure(const CpuSchedule &schedule, int effort) override {
    if (options.seconds > 0 && seconds() > options.seconds)
      return std::nullopt;
    return runner->measure(schedule, effort);
  }

  void expect(std::vector<CpuSchedule> schedules) override { runner->expect(std::move(schedules)); }

  Error search() {
    SearchOptions searchOptions;
    if (options.candidates > 0)
      searchOptions.candidates = options.candidates;
    searchOptions.seed = options.seed;
    auto onTrial = [&](const Trial &trial) {
      if (options.onTrial)
        options.onTrial(trial, seconds());
    };
    // Its results are what others are compared with: it must be first, and it must be right.
    const int effort = isDefaultKnown() ? 0 : 1;
    std::optional<Measurement> first = runner->measure(space.defaultSchedule(), effort);
    if (first && first->status != CandidateStatus::Ok)
      return createStringError("the default schedule fails: %s", first->detail.c_str());
    Search search(space, *this, searchOptions, onTrial);
    if (first && effort > 0)
      search.addMeasured(space.defaultSchedule(), *first);
    for (const auto &[schedule, measurement] : options.known)
      search.addKnown(schedule, measurement);
    if (options.searcher.empty()) {
      search.run();
    } else if (Error error = runOutsideSearcher(options.searcher, space, search, options.seed)) {
      return error;
    }
    result.trials = search.trials();
    finalists.clear();
    for (const Trial *trial : search.best(kFinalists))
      finalists.push_back(trial->schedule);
    return Error::success();
  }

  /// Objects of schedules that an earlier search has measured are not there yet.
  Error prepareFinalists() {
    std::vector<CpuSchedule> working;
    for (const CpuSchedule &schedule : finalists) {
      std::optional<Measurement> again = runner->measure(schedule, 0);
      if (!again)
        return createStringError("stopped");
      if (again->status == CandidateStatus::Ok &&
          knobsText(schedule) != knobsText(result.defaultSchedule))
        working.push_back(schedule);
    }
    finalists = std::move(working);
    return Error::success();
  }

  Error compare() {
    if (Error error = prepareFinalists())
      return error;
    std::vector<CpuSchedule> all{result.defaultSchedule, result.defaultSchedule};
    all.insert(all.end(), finalists.begin(), finalists.end());
    if (finalists.size() > 1) {
      Expected<InterleavedTimes> times = runner->interleave(all, kComparedSeconds);
      if (!times)
        return times.takeError();
      size_t winner = 2;
      for (size_t k = 2; k < all.size(); ++k)
        if (medianOf((*times)[k]) < medianOf((*times)[winner]))
          winner = k;
      all = {all[0], all[1], all[winner]};
    }
    Expected<InterleavedTimes> times = runner->interleave(all, kComparedSeconds);
    if (!times)
      return times.takeError();
    result.noise = noiseOf(pairedRatio((*times)[0], (*times)[1]));
    result.defaultTimes = result.bestTimes = summary((*times)[0]);
    if (all.size() < 3)
      return Error::success();
    result.speedup = pairedRatio((*times)[0], (*times)[2]);
    result.isFaster = isBeyondNoise(result.speedup, result.noise);
    if (result.isFaster) {
      result.best = all[2];
      result.bestTimes = summary((*times)[2]);
    }
    return Error::success();
  }

  const TuningProblem &problem;
  const TuningOptions &options;
  const SearchSpace space;
  std::unique_ptr<CandidateRunner> runner;
  std::chrono::steady_clock::time_point start;
  std::vector<CpuSchedule> finalists;
  TuningResult result;
};
} // namespace

Expected<TuningResult> tune(const TuningProblem &problem, const TuningOptions &options) {
  return Tuning(problem, options).run();
}

} // namespace attune
