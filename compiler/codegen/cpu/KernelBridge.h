//===- KernelBridge.h - From memrefs to Halide's buffers --------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELBRIDGE_H
#define ATTUNE_CODEGEN_CPU_KERNELBRIDGE_H

#include "codegen/cpu/kernels/Kernel.h"
#include "llvm/IR/Module.h"

namespace attune::cpu {

/// Defines the declaration `kernel.symbol` of a module, whose arguments are expanded memref
/// descriptors and scalars: it builds halide_buffer_t descriptors on the stack and calls `target`.
/// It is always inlined, so that fields known at the call cost nothing.
void defineBridge(llvm::Module &module, const Kernel &kernel, llvm::StringRef target);

} // namespace attune::cpu

#endif
