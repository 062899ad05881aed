//===- Pipeline.h - The order of all passes ---------------------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_PIPELINE_H
#define ATTUNE_PIPELINE_PIPELINE_H

#include "codegen/cpu/AssignKernels.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "pipeline/Phase.h"

namespace attune {

/// Adds the passes that lead from the phase before to `phase`, for the phases up to LlvmDialect.
/// The kernels that the module calls are added to `kernels`.
void buildPhase(mlir::OpPassManager &passes, Phase phase, cpu::KernelSet &kernels);

/// Runs the passes of buildPhase on a module. The error says what the passes said of it.
llvm::Error runPhase(mlir::ModuleOp module, Phase phase, cpu::KernelSet &kernels);

/// Loads every dialect that some phase uses.
void loadDialects(mlir::MLIRContext &context);

/// Makes all passes known by name, and each phase as a pipeline `mha-phase-NAME`.
void registerPasses();

} // namespace attune

#endif
