//===- TuneReport.h - The page of attune tune --report ----------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_TUNEREPORT_H
#define ATTUNE_TOOLS_ATTUNE_TUNEREPORT_H

#include "tuner/Tuner.h"
#include "llvm/ADT/ArrayRef.h"

namespace attune::tool {

/// A problem, what its search found, and the FMA peak of the machine in GFLOP/s.
struct TunedCase {
  const TuningProblem *problem;
  TuningResult result;
  double peak;
};

/// One HTML page without scripts and without other files: for each case the times found, the search
/// trial by trial, the times by each knob's values, and what changed in the schedule.
std::string tuneReport(llvm::ArrayRef<TunedCase> cases);

} // namespace attune::tool

#endif
