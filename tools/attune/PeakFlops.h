//===- PeakFlops.h - The machine's FMA peak ---------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_PEAKFLOPS_H
#define ATTUNE_TOOLS_ATTUNE_PEAKFLOPS_H

#include "codegen/cpu/MachineCode.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace attune::tool {

/// Multiply-adds a second, times two, in GFLOP/s, of `threads` threads together: the best of
/// several short runs of independent accumulators. The instruction is the one that products of the
/// target take: an FMA at its vector width or, where it multiplies bfloat16 in pairs, vdpbf16ps or
/// tdpbf16ps. `seconds` reads the clock, which should be that of what is compared with the peak.
llvm::Expected<double> measurePeak(const cpu::TargetInfo &target, int threads,
                                   llvm::function_ref<double()> seconds);

/// The time of day, as bench takes it.
double secondsOfDay();

/// The code of the loop that measurePeak times.
llvm::Expected<llvm::SmallVector<char, 0>> compilePeakLoop(const cpu::TargetInfo &target,
                                                           cpu::MachineCodeKind kind);

} // namespace attune::tool

#endif
