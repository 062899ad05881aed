//===- KernelBridge.h - From memrefs to Halide's buffers --------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELBRIDGE_H
#define ATTUNE_CODEGEN_CPU_KERNELBRIDGE_H

#include "codegen/cpu/TimedKernels.h"
#include "llvm/IR/Module.h"

namespace attune::cpu {

/// Defines the declaration `kernel.symbol` of a module, whose arguments are expanded memref
/// descriptors and scalars: it builds halide_buffer_t descriptors on the stack and calls `target`.
/// It is always inlined, so that fields known at the call cost nothing.
void defineBridge(llvm::Module &module, const Kernel &kernel, llvm::StringRef target);

/// The same, but calls all `parts` of the kernel in order, each between readings of the clock. The
/// first has position `index` in the module's list of timed kernels.
void defineTimedBridge(llvm::Module &module, const Kernel &kernel,
                       llvm::ArrayRef<TimedKernel> parts, unsigned index);

/// The function that a kernel's code goes by, since the kernel's symbol is that of its bridge.
std::string kernelFunction(llvm::StringRef symbol);

} // namespace attune::cpu

#endif
