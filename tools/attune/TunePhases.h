//===- TunePhases.h - Where the time of tuned calls goes --------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_TUNEPHASES_H
#define ATTUNE_TOOLS_ATTUNE_TUNEPHASES_H

#include "Profile.h"
#include "tuner/TuningProblem.h"

namespace attune::tool {

/// Compiles a schedule with a clock around every kernel and runs the call that is tuned, in a child
/// process that ends when `stop` becomes true. The phases are those of the fastest run.
llvm::Expected<std::vector<PhaseProfile>> profilePhases(const TuningProblem &problem,
                                                        const CpuSchedule &schedule,
                                                        const std::function<bool()> &stop);

/// The phases of the default schedule and of a tuned one, which may be missing, as HTML: a bar and
/// a column of a table for each. Times are divided by the threads.
std::string phaseTable(llvm::ArrayRef<PhaseProfile> before, llvm::ArrayRef<PhaseProfile> after,
                       int threads);

} // namespace attune::tool

#endif
