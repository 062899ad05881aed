//===- PeakFlops.h - The machine's FMA peak ---------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_PEAKFLOPS_H
#define ATTUNE_TOOLS_ATTUNE_PEAKFLOPS_H

#include "codegen/cpu/TargetInfo.h"

namespace attune::tool {

/// float32 fused multiply-adds a second, times two, in GFLOP/s, of `threads` threads together: the
/// best of several short runs of independent register accumulators at the target's vector width.
llvm::Expected<double> measurePeak(const cpu::TargetInfo &target, int threads);

} // namespace attune::tool

#endif
