//===- Compiler.h - From a configuration to code ----------------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_COMPILER_H
#define ATTUNE_PIPELINE_COMPILER_H

#include "codegen/cpu/TargetInfo.h"
#include "frontend/Config.h"
#include "package/CompileCache.h"
#include "pipeline/Phase.h"
#include "schedules/CpuSchedule.h"
#include <optional>

namespace attune {

struct CompileOptions {
  std::optional<CpuSchedule> schedule; ///< else the default function's
  Phase lastPhase = Phase::Object;
  std::string dumpDirectory; ///< every phase is written here as N-NAME.EXTENSION; "" for none
  const CompileCache *cache = nullptr; ///< may have the object; not asked when phases are dumped
};

/// What a compilation produced: the text of the last phase, or an object.
struct CompiledModule : ObjectCode {
  Config config;
  cpu::TargetInfo target;
  CpuSchedule schedule;
  uint64_t hash = 0; ///< contentHash
  std::string text;
};

/// The part of a configuration that schedules look at.
ScheduleProblem scheduleProblem(const Config &config);

/// The schedule that a compilation uses: the one of the options, checked, or the default one.
llvm::Expected<CpuSchedule> chooseSchedule(const Config &config, const cpu::TargetInfo &target,
                                           const CompileOptions &options);

/// Compiles a checked configuration. An error names what the compiler refused, and where.
llvm::Expected<CompiledModule> compile(const Config &config, const cpu::TargetInfo &target,
                                       const CompileOptions &options = {});

} // namespace attune

#endif
