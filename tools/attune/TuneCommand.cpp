//===- TuneCommand.cpp - attune tune --------------------------------------===//
#include "Common.h"
#include "PeakFlops.h"
#include "TuneCases.h"
#include "TuneProgress.h"
#include "TuneRecords.h"
#include "TuneReport.h"
#include "package/Files.h"
#include "tuner/CallClock.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <atomic>
#include <cmath>
#include <csignal>

using namespace llvm;

namespace attune::tool {

namespace {
constexpr double kDefaultSeconds = 120;

std::atomic<bool> isInterrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

/// Ctrl-C ends the search; the default is back when this goes.
struct InterruptWatch {
  InterruptWatch() {
    previous = std::signal(SIGINT, [](int) { isInterrupted = true; });
  }
  ~InterruptWatch() { std::signal(SIGINT, previous); }

  void (*previous)(int);
};

Expected<double> parseBudget(const std::string &text) {
  double number = 0;
  StringRef unit(text);
  const size_t digits = unit.find_first_not_of("0123456789.");
  const double factor = StringSwitch<double>(unit.substr(digits))
                            .Case("s", 1)
                            .Case("m", 60)
                            .Case("h", 3600)
                            .Default(0);
  if (unit.take_front(digits).getAsDouble(number) || number <= 0 || factor == 0)
    return createStringError("--budget: found '%s', expected a time like 90s, 10m or 1h",
                             text.c_str());
  return number * factor;
}

/// NAME=VALUE,VALUE...
Error addRestriction(const std::string &text, const TuningProblem &problem,
                     SearchSpace::Restriction &restriction) {
  const auto [name, list] = StringRef(text).split('=');
  const Knob *knob = nullptr;
  for (const Knob &one : knobs())
    if (name == one.name)
      knob = &one;
  if (!knob) {
    std::string names;
    for (const Knob &one : knobs())
      names += (names.empty() ? "" : ", ") + std::string(one.name);
    return createStringError("--knob: '%s' is not known; there are %s", name.str().c_str(),
                             names.c_str());
  }
  SmallVector<StringRef> values;
  list.split(values, ',');
  for (StringRef value : values) {
    int64_t parsed = 0;
    if (!parseKnobValue(*knob, scheduleProblem(problem.config), problem.target.traits, value.str(),
                        parsed) ||
        parsed < 0 || parsed > 1 << 20)
      return createStringError("--knob: %s cannot have the value '%s'", knob->name,
                               value.str().c_str());
    restriction[knob->name].push_back(parsed);
  }
  return Error::success();
}

Expected<TuningOptions> optionsOf(const TuneArguments &arguments, const TuningProblem &problem) {
  TuningOptions options;
  options.candidates = arguments.candidates;
  options.seed = arguments.seed;
  options.searcher = arguments.searcher;
  options.runner.stop = [] { return isInterrupted.load(); };
  if (!arguments.budget.empty()) {
    Expected<double> seconds = parseBudget(arguments.budget);
    if (!seconds)
      return seconds.takeError();
    options.seconds = *seconds;
  } else if (arguments.candidates == 0) {
    options.seconds = kDefaultSeconds;
  }
  for (const std::string &knob : arguments.knobs)
    if (Error error = addRestriction(knob, problem, options.restriction))
      return std::move(error);
  return options;
}

/// Raises `peak`, in GFLOP/s by the clock of candidates, if the machine shows more: other work on
/// it can only lower what is measured.
Error improvePeak(double &peak, const TuningProblem &problem) {
  Expected<double> measured =
      measurePeak(problem.target, problem.threads, [&] { return callSeconds(problem.threads); });
  if (!measured)
    return measured.takeError();
  peak = std::max(peak, *measured);
  return Error::success();
}

Expected<TunedCase> tuneCase(const TuneArguments &arguments, const ScheduleDatabase &database,
                             const TuningProblem &problem) {
  Expected<TuningOptions> options = optionsOf(arguments, problem);
  if (!options)
    return options.takeError();
  const TuneRecords records(database, problem);
  auto known = records.known();
  if (!known)
    return known.takeError();
  options->known = std::move(*known);
  TuneProgress progress(problem.config.name, *options,
                        defaultSchedule(scheduleProblem(problem.config), problem.target.traits));
  std::string lost;
  options->onTrial = [&](const Trial &trial, double seconds) {
    progress.show(trial, seconds);
    if (Error error = records.add(trial))
      lost = toString(std::move(error));
  };
  double peak = 0;
  if (Error error = improvePeak(peak, problem))
    return std::move(error);
  Expected<TuningResult> result = tune(problem, *options);
  if (!lost.empty())
    warn("not kept in the database: " + lost);
  if (!result)
    return createStringError("%s: %s", problem.config.name.c_str(),
                             toString(result.takeError()).c_str());
  if (!result->isStopped)
    if (Error error = records.addBest(*result))
      return std::move(error);
  if (Error error = improvePeak(peak, problem))
    return std::move(error);
  return TunedCase{&problem, std::move(*result), peak};
}

/// Adds the times by phase of the default schedule and of a faster one.
Error addPhases(TunedCase &tuned) {
  auto add = [&](const CpuSchedule &schedule, std::vector<PhaseProfile> &phases) -> Error {
    auto profile = profilePhases(*tuned.problem, schedule, [] { return isInterrupted.load(); });
    if (!profile)
      return profile.takeError();
    phases = std::move(*profile);
    return Error::success();
  };
  if (Error error = add(tuned.result.defaultSchedule, tuned.defaultPhases))
    return error;
  return tuned.result.isFaster ? add(tuned.result.best, tuned.bestPhases) : Error::success();
}

void print(const TunedCase &one) {
  const TuningResult &result = one.result;
  const double gflops = one.problem->flops() / result.bestTimes.medianMs / 1e6;
  outs() << format("%-19s %10.3f %10.3f  ", one.problem->config.name.c_str(),
                   result.defaultTimes.medianMs, result.bestTimes.medianMs);
  if (result.isFaster)
    outs() << format("%6.3fx  %.3f to %.3f", result.speedup.median, result.speedup.low,
                     result.speedup.high);
  else
    outs() << "     1x  default kept  ";
  outs() << format("  %5.1f %%  %7.1f  %8.1f  %4.0f %%", 100 * result.noise, gflops, one.peak,
                   100 * gflops / one.peak)
         << format("  %5zu\n", result.trials.size());
  size_t failed = count_if(result.trials, [](const Trial &trial) { return !trial.isOk(); });
  if (failed > 0)
    outs() << "  " << failed << " of its schedules failed; the first: ";
  for (const Trial &trial : result.trials)
    if (!trial.isOk()) {
      outs() << trial.measurement.detail << "\n";
      break;
    }
}

void print(ArrayRef<TunedCase> cases) {
  if (cases.empty())
    return;
  outs() << "case                default ms   tuned ms  speedup      95 %          noise  GFLOP/s  "
            "FMA peak  share  tried\n";
  double logarithms = 0;
  for (const TunedCase &one : cases) {
    print(one);
    logarithms += one.result.isFaster ? std::log(one.result.speedup.median) : 0;
  }
  if (cases.size() > 1)
    outs() << "geometric mean of speedups: "
           << format("%.3f\n", std::exp(logarithms / static_cast<double>(cases.size())));
}
} // namespace

Error runTune(const TuneArguments &arguments) {
  auto problems = tuneCases(arguments);
  if (!problems)
    return problems.takeError();
  const ScheduleDatabase database(arguments.database, warn);
  InterruptWatch watch;
  std::vector<TunedCase> cases;
  for (const TuningProblem &problem : *problems) {
    Expected<TunedCase> tuned = tuneCase(arguments, database, problem);
    if (isInterrupted) {
      if (!tuned)
        consumeError(tuned.takeError());
      break;
    }
    if (!tuned)
      return tuned.takeError();
    if (!arguments.report.empty())
      if (Error error = addPhases(*tuned))
        warn(toString(std::move(error)));
    cases.push_back(std::move(*tuned));
  }
  print(cases);
  if (!arguments.report.empty() && !cases.empty())
    if (Error error = writeFile(arguments.report, tuneReport(cases)))
      return error;
  if (isInterrupted)
    return createStringError("stopped; what was measured is in %s", arguments.database.c_str());
  return Error::success();
}

} // namespace attune::tool
