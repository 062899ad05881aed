//===- PeakFlops.h - The machine's FMA peak ---------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_PEAKFLOPS_H
#define ATTUNE_TOOLS_ATTUNE_PEAKFLOPS_H

#include "codegen/cpu/MachineCode.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace attune::tool {

/// What is multiplied: the operands of products in kernels.
enum class PeakType { Float32, BFloat16 };

/// Multiply-adds a second, times two, in GFLOP/s, of `threads` threads together: the best of
/// several short runs of independent register accumulators at the target's vector width. For
/// BFloat16 those are bfloat16 dot products into float32 where the target has AVX512_BF16, else as
/// for Float32. `seconds` reads the clock, which should be that of what is compared with the peak.
llvm::Expected<double> measurePeak(const cpu::TargetInfo &target, int threads, PeakType type,
                                   llvm::function_ref<double()> seconds);

/// The time of day, as bench takes it.
double secondsOfDay();

/// The code of the loop that measurePeak times.
llvm::Expected<llvm::SmallVector<char, 0>>
compilePeakLoop(const cpu::TargetInfo &target, PeakType type, cpu::MachineCodeKind kind);

} // namespace attune::tool

#endif
