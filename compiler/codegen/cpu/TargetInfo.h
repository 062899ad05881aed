//===- TargetInfo.h - What a target name stands for -------------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_TARGETINFO_H
#define ATTUNE_CODEGEN_CPU_TARGETINFO_H

#include "codegen/cpu/kernels/Kernel.h"
#include "schedules/CpuSchedule.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace attune::cpu {

/// A CPU to compile for: LLVM's terms, Halide's terms, the schedule's terms and the run-time
/// check's.
struct TargetInfo {
  std::string name; ///< as given: host, x86-64-v3, neoverse-n1 ...
  std::string triple;
  std::string cpu;            ///< LLVM's name of the CPU, whose timing counts (-mtune)
  std::string instructionSet; ///< LLVM's name of the CPU whose instructions may be used (-mcpu)
  std::string features;       ///< LLVM's -mattr; empty but for host
  KernelTarget kernels;
  CpuTraits traits;
  uint32_t requiredFeatures = 0; ///< ATTUNE_CPU_* bits
  /// The best that the CPU has; what code uses is in kernels and traits (multiplyPairs).
  PairProducts pairProducts = PairProducts::None;
};

/// Resolves `host`, `aarch64` or any x86-64 or AArch64 CPU name that LLVM knows. An unknown name is
/// an error that lists the nearest ones.
llvm::Expected<TargetInfo> resolveTarget(llvm::StringRef name);

/// Makes the targets of one object multiply bfloat16 in pairs, each by what it has, unless one of
/// them has nothing: they share packed weights.
void multiplyPairs(llvm::MutableArrayRef<TargetInfo> targets);

/// The target of the same architecture whose code every CPU of it runs.
TargetInfo baselineOf(const TargetInfo &target);

/// All that code for a target depends on, as text.
std::string describe(const TargetInfo &target);

/// All names that resolveTarget takes, `host` first.
std::vector<std::string> targetNames();

} // namespace attune::cpu

#endif
