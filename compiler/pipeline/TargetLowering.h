//===- TargetLowering.h - One configuration for one target ------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_TARGETLOWERING_H
#define ATTUNE_PIPELINE_TARGETLOWERING_H

#include "codegen/cpu/LlvmModule.h"
#include "dialect/Interpreter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "package/Descriptor.h"
#include "pipeline/Compiler.h"

namespace attune {

/// Lowers a configuration phase by phase for one of the targets of a compilation. An object for
/// several targets has one of these each; they share the layout of packed parameters.
class TargetLowering {
public:
  /// Builds graph IR: phase `module`. `variant` must outlive this.
  TargetLowering(const Config &config, const CompiledVariant &variant);

  /// Packed rows of appended keys and values start here, in floats, behind the weights and what
  /// other targets append. Must be said before phase `tiles`.
  void startAppendedAt(int64_t offset);

  /// Runs the passes that lead to a phase up to `llvm-mlir`.
  llvm::Error runPasses(Phase phase);

  /// Floats of the packed block; 0 without parameters. After phase `tiles`.
  int64_t packedFloats() const { return packed; }

  /// Runs `pack` of tile IR on the parameters, in the order of interfaceParameters, and writes what
  /// this target reads into `block`, whose elements are those of the packed block. After phase
  /// `tiles`, before `kernels`.
  llvm::Error packInto(llvm::ArrayRef<mha::Array> parameters, std::vector<float> &block) const;

  /// Generates the kernels, or takes them from `cache` if it is not null, and links them with the
  /// loops and the descriptor; optimised. Profiled, a clock is called around every kernel.
  llvm::Expected<std::unique_ptr<llvm::Module>> buildLlvm(const DescriptorFacts &facts,
                                                          bool isProfiled, cpu::KernelCache *cache,
                                                          llvm::LLVMContext &llvmContext);

  /// The program as text, up to phase `llvm-mlir`.
  std::string text() const;

  const cpu::KernelSet &kernelSet() const { return kernels; }

  const CompiledVariant &variant;

private:
  const Config &config;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  cpu::KernelSet kernels;
  int64_t packed = 0;
};

} // namespace attune

#endif
