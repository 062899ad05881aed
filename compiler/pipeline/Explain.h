//===- Explain.h - What the compiler decides for a configuration -*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_EXPLAIN_H
#define ATTUNE_PIPELINE_EXPLAIN_H

#include "frontend/Interface.h"
#include "pipeline/Compiler.h"
#include <string>
#include <vector>

namespace attune {

/// One decision: what it is about, and what was decided and why.
struct ExplainedItem {
  std::string name, text;
};

struct ExplainedSection {
  std::string title;
  std::vector<ExplainedItem> items;
};

/// The call that work and memory are stated for.
struct ExplainedCall {
  CallSizes sizes;
  int64_t workers = 1;
};

/// Compiles a checked configuration up to its kernel calls and says what was decided: the schedule
/// and where it comes from, which projections are one, which tiles are passed over and why, the
/// kernels, and for `call`, if given, tiles, FLOPs, bytes and workspace.
llvm::Expected<std::vector<ExplainedSection>> explain(const Config &config,
                                                      const cpu::TargetInfo &target,
                                                      const CompileOptions &options,
                                                      const std::optional<ExplainedCall> &call);

} // namespace attune

#endif
