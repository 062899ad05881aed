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

TuneProgress::TuneProgress(std::string name, int candidates, double seconds, int known)
    : name(std::move(name)), candidates(candidates), budget(seconds), known(known),
      isTerminal(isatty(STDERR_FILENO)) {
  if (known > 0)
    errs() << this->name << ": " << known << " schedules are known from earlier searches\n";
}

TuneProgress::~TuneProgress() {
  if (isTerminal)
    errs() << "\r\x1b[K";
}

/// Of the search that is done, by trials or by time, whatever is more.
double TuneProgress::share(double seconds) const {
  const double byTrials = candidates > 0 ? double(count + known) / candidates : 0;
  const double byTime = budget > 0 ? seconds / budget : 0;
  return std::min(std::max(byTrials, byTime), 1.0);
}

std::string TuneProgress::timeLeft(double seconds) const {
  double left = budget > 0 ? budget - seconds : 1e9;
  if (candidates > 0)
    left = std::min(left, seconds / count * (candidates - known - count));
  return left < 1e9 ? minutes(std::max(left, 0.0)) + " left" : "";
}

void TuneProgress::show(const Trial &trial, double seconds) {
  ++count;
  failed += !trial.isOk();
  if (trial.isOk()) {
    defaultMs = count == 1 ? trial.bestMs() : defaultMs;
    bestMs = bestMs > 0 ? std::min(bestMs, trial.bestMs()) : trial.bestMs();
  }
  const std::string best =
      formatv("best {0:f3} ms, {1:f3}x the default", bestMs, bestMs > 0 ? defaultMs / bestMs : 1);
  const std::string rate = formatv("{0:f0} a minute", 60 * count / std::max(seconds, 1e-3));
  if (!isTerminal) {
    const std::string what = trial.isOk() ? formatv("{0:f3} ms", trial.bestMs()).str()
                                          : std::string(statusName(trial.measurement.status));
    errs() << formatv("{0}: {1}: {2}; {3}; {4}, {5}\n", name, count + known, what, best, rate,
                      timeLeft(seconds));
    return;
  }
  const int filled = static_cast<int>(share(seconds) * kBarWidth);
  errs() << formatv("\r\x1b[K{0} [{1}{2}] {3}, {4}{5}; {6}, {7}", name, std::string(filled, '#'),
                    std::string(kBarWidth - filled, '.'), count + known, best,
                    failed ? formatv(", {0} failed", failed).str() : "", rate, timeLeft(seconds));
}

} // namespace attune::tool
