//===- TuneReport.h - The page of attune tune --report ----------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_TUNEREPORT_H
#define ATTUNE_TOOLS_ATTUNE_TUNEREPORT_H

#include "TunePhases.h"
#include "tuner/Tuner.h"
#include "llvm/ADT/ArrayRef.h"

namespace attune::tool {

/// A problem, what its search found, the FMA peak of the machine in GFLOP/s, and for a report the
/// time by phase.
struct TunedCase {
  const TuningProblem *problem;
  TuningResult result;
  double peak;
  std::vector<PhaseProfile> defaultPhases = {}, bestPhases = {}; ///< empty: not known
};

/// One HTML page without scripts and without other files: for each case the times found, the search
/// trial by trial, the times by each knob's values, what changed in the schedule, and the time by
/// phase before and after.
std::string tuneReport(llvm::ArrayRef<TunedCase> cases);

} // namespace attune::tool

#endif
