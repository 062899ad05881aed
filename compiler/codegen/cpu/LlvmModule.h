//===- LlvmModule.h - LLVM dialect and kernels to one LLVM module -*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_LLVMMODULE_H
#define ATTUNE_CODEGEN_CPU_LLVMMODULE_H

#include "codegen/cpu/AssignKernels.h"
#include "codegen/cpu/KernelCache.h"
#include "codegen/cpu/TargetInfo.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"

namespace attune::cpu {

/// Generates the kernels of a set, in parallel, but for those that `cache`, which may be null, has;
/// it takes the new ones. The result is in the set's order.
llvm::Expected<std::vector<Kernel>>
generateKernels(const KernelSet &set, const KernelTarget &target, KernelCache *cache = nullptr);

/// Translates a module of the LLVM dialect, links the generated kernels into it and joins them by
/// bridges. With `profiled`, the kernels that the module calls, those generated are what
/// timedKernels names for them, and bridges read the clock.
/// Floating-point instructions keep the `contract` flag alone, and all functions carry the same
/// target attributes. Nothing is optimised or made internal yet.
llvm::Expected<std::unique_ptr<llvm::Module>>
buildLlvmModule(mlir::ModuleOp module, const std::vector<Kernel> &generated,
                const KernelSet *profiled, const TargetInfo &target, llvm::LLVMContext &context);

} // namespace attune::cpu

#endif
