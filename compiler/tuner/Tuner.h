//===- Tuner.h - The fastest schedule for a call ----------------*- C++ -*-===//
#ifndef ATTUNE_TUNER_TUNER_H
#define ATTUNE_TUNER_TUNER_H

#include "tuner/CandidateRunner.h"
#include "tuner/Search.h"
#include "tuner/Statistics.h"

namespace attune {

struct TuningOptions {
  int candidates = 0;   ///< schedules to try at most, known ones included; 0: no limit
  double seconds = 0;   ///< of the search at most; 0: no limit
  uint64_t seed = 1;    ///< decides the order of trials
  std::string searcher; ///< a command that chooses the schedules (OutsideSearcher.h), or ""
  SearchSpace::Restriction restriction;
  RunnerOptions runner;
  /// What earlier searches have measured; it is not measured again.
  std::vector<std::pair<CpuSchedule, Measurement>> known;
  /// Is told each trial once it was measured, with the time since the start in seconds.
  std::function<void(const Trial &, double)> onTrial;
};

/// Times of a schedule in the comparison at the end.
struct ComparedTimes {
  double bestMs = 0, medianMs = 0;
  int runs = 0;
};

struct TuningResult {
  CpuSchedule defaultSchedule;
  CpuSchedule best; ///< of the trials if it is faster than the default, else the default
  /// The default's time over that of the best of the trials, call by call in turns, and how far
  /// apart the default and a copy of it were.
  RatioInterval speedup;
  double noise = 0;
  bool isFaster = false; ///< by more than the noise
  ComparedTimes defaultTimes, bestTimes;
  std::vector<Trial> trials;
  double seconds = 0;     ///< of the search
  bool isStopped = false; ///< by the user: there may be no comparison
};

/// Searches for a schedule, then times the best few and the default in turns, twice: to choose one,
/// and to say how much faster it is. Whatever a candidate does, in compiling or in running, the
/// search goes on. An error if the default schedule does not work.
llvm::Expected<TuningResult> tune(const TuningProblem &problem, const TuningOptions &options);

} // namespace attune

#endif
