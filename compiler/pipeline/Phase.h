//===- Phase.h - The phases of a compilation --------------------*- C++ -*-===//
//
// One enum drives where a compilation stops (--emit), what it dumps (--dump-phases-to) and which
// level the interpreter runs.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_PIPELINE_PHASE_H
#define ATTUNE_PIPELINE_PHASE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace attune {

/// In order. Each phase is what stands after the passes of buildPhase have run.
enum class Phase { Module, Graph, Tiles, Kernels, LlvmDialect, Llvm, Assembly, Object };

struct PhaseInfo {
  Phase phase;
  llvm::StringLiteral name;      ///< as in --emit
  llvm::StringLiteral extension; ///< of a dump
  llvm::StringLiteral summary;
};

/// All phases in order.
inline constexpr PhaseInfo kPhases[] = {
    {Phase::Module, "module", "mlir", "the module operation as the frontend builds it"},
    {Phase::Graph, "graph", "mlir", "projections and attention with score and keep regions"},
    {Phase::Tiles, "tiles", "mlir", "parallel loops over tiles"},
    {Phase::Kernels, "kernels", "mlir", "kernel calls on buffers of one workspace"},
    {Phase::LlvmDialect, "llvm-mlir", "mlir", "the LLVM dialect, loops outlined for workers"},
    {Phase::Llvm, "llvm", "ll", "one optimised LLVM module with the kernels"},
    {Phase::Assembly, "asm", "s", "assembly"},
    {Phase::Object, "obj", "o", "an object file"}};

inline const PhaseInfo &phaseInfo(Phase phase) { return kPhases[static_cast<size_t>(phase)]; }

} // namespace attune

#endif
