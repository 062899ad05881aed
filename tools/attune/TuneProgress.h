//===- TuneProgress.h - How a search is going -------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_TUNEPROGRESS_H
#define ATTUNE_TOOLS_ATTUNE_TUNEPROGRESS_H

#include "tuner/Tuner.h"

namespace attune::tool {

/// Shows a search on stderr: on a terminal a bar that is drawn over itself, else a line for each
/// trial.
class TuneProgress {
public:
  /// `options` are those of the search, with what is known before it.
  TuneProgress(std::string name, const TuningOptions &options, const CpuSchedule &defaultSchedule);
  ~TuneProgress();

  /// A trial, `seconds` after the start.
  void show(const Trial &trial, double seconds);

private:
  void count(const CpuSchedule &schedule, const Measurement &measurement);
  double share(double seconds) const;
  std::string timeLeft(double seconds) const;

  const std::string name;
  const std::string defaultKnobs;
  const int candidates; ///< 0: no limit
  const double budget;  ///< in seconds; 0: none
  const bool isTerminal;
  int known, counted = 0, failed = 0;
  double defaultMs = 0, bestMs = 0; ///< 0: none yet
};

} // namespace attune::tool

#endif
