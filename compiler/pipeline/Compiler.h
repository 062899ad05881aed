//===- Compiler.h - From a configuration to code ----------------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_COMPILER_H
#define ATTUNE_PIPELINE_COMPILER_H

#include "attune/attune.h"
#include "codegen/cpu/KernelCache.h"
#include "codegen/cpu/TimedKernels.h"
#include "frontend/Config.h"
#include "package/CompileCache.h"
#include "package/CompiledVariant.h"
#include "pipeline/Phase.h"
#include "pipeline/ScheduleChoice.h"
#include <optional>

namespace attune {

struct CompileOptions {
  std::optional<CpuSchedule> schedule;           ///< else one of `stored`
  std::shared_ptr<const StoredSchedules> stored; ///< else the default function's
  Phase lastPhase = Phase::Object;
  std::string dumpDirectory; ///< every phase is written here as N-NAME.EXTENSION; "" for none
  const CompileCache *cache = nullptr; ///< may have the object; not asked when phases are dumped
  /// Calls a clock around every kernel, see codegen/cpu/TimedKernels.h; for one target. The object
  /// can only be loaded where the clock is defined, and is never taken from the cache.
  bool isProfiled = false;
  cpu::KernelCache *kernels = nullptr; ///< of the target, for one target; or null
  /// Becomes a part of the object, in the order of interfaceParameters; empty: packed at run time.
  std::vector<attune_tensor> parameters;
};

/// What a compilation produced: the text of the last phase, or an object. With several targets the
/// object runs the first of these that the CPU can run: itself, then the fallbacks in order.
struct CompiledModule : ObjectCode, CompiledVariant {
  Config config;
  std::vector<CompiledVariant> fallbacks;
  bool isBaked = false;                ///< parameters are part of the object
  std::vector<cpu::TimedKernel> timed; ///< of a profiled object, in the clock's numbering
  std::string text;
};

/// A target as code for a configuration uses it: with products of pairs for bfloat16.
cpu::TargetInfo targetFor(const Config &config, const cpu::TargetInfo &target);

/// The schedule that a compilation uses: the one of the options, checked, else a stored one, else
/// the default one.
llvm::Expected<ChosenSchedule> chooseSchedule(const Config &config, const cpu::TargetInfo &target,
                                              const CompileOptions &options);

/// Compiles a checked configuration for one target, or for several of one architecture, of which
/// the object picks the one with the most CPU features at its calls. An error names what the
/// compiler refused, and where.
llvm::Expected<CompiledModule> compile(const Config &config,
                                       llvm::ArrayRef<cpu::TargetInfo> targets,
                                       const CompileOptions &options = {});

} // namespace attune

#endif
