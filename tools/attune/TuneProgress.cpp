//===- TuneProgress.cpp - How a search is going ---------------------------===//
#include "TuneProgress.h"

#include "tuner/OutsideSearcher.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <unistd.h>

using namespace llvm;

namespace attune::tool {

namespace {
constexpr int kBarWidth = 24;

std::string minutes(double seconds) {
  const int whole = static_cast<int>(seconds + 0.5);
  return formatv("{0}:{1:02}", whole / 60, whole % 60);
}
} // namespace

TuneProgress::TuneProgress(std::string name, const TuningOptions &options,
                           const CpuSchedule &defaultSchedule)
    : name(std::move(name)), defaultKnobs(knobsText(defaultSchedule)),
      candidates(options.candidates), budget(options.seconds), isTerminal(isatty(STDERR_FILENO)) {
  for (const auto &[schedule, measurement] : options.known)
    count(schedule, measurement);
  known = counted;
  if (known > 0)
    errs() << this->name << ": " << known << " schedules are known from earlier searches\n";
}

TuneProgress::~TuneProgress() {
  if (isTerminal)
    errs() << "\r\x1b[K";
}

void TuneProgress::count(const CpuSchedule &schedule, const Measurement &measurement) {
  ++counted;
  failed += measurement.status != CandidateStatus::Ok;
  for (double ms : measurement.milliseconds) {
    bestMs = bestMs > 0 ? std::min(bestMs, ms) : ms;
    if (knobsText(schedule) == defaultKnobs)
      defaultMs = defaultMs > 0 ? std::min(defaultMs, ms) : ms;
  }
}

/// Of the search that is done, by trials or by time, whatever is more.
double TuneProgress::share(double seconds) const {
  const double byTrials = candidates > 0 ? double(counted) / candidates : 0;
  const double byTime = budget > 0 ? seconds / budget : 0;
  return std::min(std::max(byTrials, byTime), 1.0);
}

std::string TuneProgress::timeLeft(double seconds) const {
  double left = budget > 0 ? budget - seconds : 1e9;
  if (candidates > 0)
    left = std::min(left, seconds / (counted - known) * (candidates - counted));
  return left < 1e9 ? minutes(std::max(left, 0.0)) + " left" : "";
}

void TuneProgress::show(const Trial &trial, double seconds) {
  count(trial.schedule, trial.measurement);
  const std::string best =
      formatv("best {0:f3} ms, {1:f3}x the default", bestMs, bestMs > 0 ? defaultMs / bestMs : 1);
  const std::string rate =
      formatv("{0:f0} a minute", 60 * (counted - known) / std::max(seconds, 1e-3));
  if (!isTerminal) {
    const std::string what = trial.isOk() ? formatv("{0:f3} ms", trial.bestMs()).str()
                                          : std::string(statusName(trial.measurement.status));
    errs() << formatv("{0}: {1}: {2}; {3}; {4}, {5}\n", name, counted, what, best, rate,
                      timeLeft(seconds));
    return;
  }
  const int filled = static_cast<int>(share(seconds) * kBarWidth);
  errs() << formatv("\r\x1b[K{0} [{1}{2}] {3}, {4}{5}; {6}, {7}", name, std::string(filled, '#'),
                    std::string(kBarWidth - filled, '.'), counted, best,
                    failed ? formatv(", {0} failed", failed).str() : "", rate, timeLeft(seconds));
}

} // namespace attune::tool
