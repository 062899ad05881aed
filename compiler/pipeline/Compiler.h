//===- Compiler.h - From a configuration to code ----------------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_COMPILER_H
#define ATTUNE_PIPELINE_COMPILER_H

#include "codegen/cpu/TargetInfo.h"
#include "frontend/Config.h"
#include "pipeline/Phase.h"
#include "schedules/CpuSchedule.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace attune {

struct CompileOptions {
  std::optional<CpuSchedule> schedule; ///< else the default function's
  Phase lastPhase = Phase::Object;
  std::string dumpDirectory; ///< every phase is written here as N-NAME.EXTENSION; "" for none
};

/// What a compilation produced: the text of the last phase, or an object.
struct CompiledModule {
  Config config;
  cpu::TargetInfo target;
  CpuSchedule schedule;
  uint64_t hash = 0; ///< of configuration, schedule, target and interface version
  int64_t packedBytes = 0;
  std::vector<std::string> kernels; ///< symbols
  std::string text;
  llvm::SmallVector<char, 0> object;
};

/// The part of a configuration that schedules look at.
ScheduleProblem scheduleProblem(const Config &config);

/// Compiles a checked configuration. An error names what the compiler refused, and where.
llvm::Expected<CompiledModule> compile(const Config &config, const cpu::TargetInfo &target,
                                       const CompileOptions &options = {});

} // namespace attune

#endif
