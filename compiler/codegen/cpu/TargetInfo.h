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
  std::string name; ///< as given: host, x86-64-v3, znver4 ...
  std::string triple;
  std::string cpu;      ///< LLVM's -mcpu
  std::string features; ///< LLVM's -mattr; empty but for host
  KernelTarget kernels;
  CpuTraits traits;
  uint32_t requiredFeatures = 0; ///< ATTUNE_CPU_* bits
};

/// Resolves `host` or any x86-64 CPU name that LLVM knows. An unknown name is an error that lists
/// the nearest ones.
llvm::Expected<TargetInfo> resolveTarget(llvm::StringRef name);

/// All names that resolveTarget takes, `host` first.
std::vector<std::string> targetNames();

} // namespace attune::cpu

#endif
