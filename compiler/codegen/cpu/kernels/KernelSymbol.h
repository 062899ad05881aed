//===- KernelSymbol.h - Names and arguments of kernels ----------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_KERNELSYMBOL_H
#define ATTUNE_CODEGEN_CPU_KERNELS_KERNELSYMBOL_H

#include "codegen/cpu/kernels/Kernel.h"
#include "llvm/ADT/StringRef.h"

namespace attune::cpu {

/// A symbol: attune_PREFIX_HASH. The hash covers prefix, specification text, target and the version
/// of Halide.
std::string kernelSymbol(llvm::StringRef prefix, llvm::StringRef spec, const KernelTarget &target);

/// Descriptions of arguments.
KernelArgument bufferArgument(int rank, ElementType type = ElementType::F32);
KernelArgument int32Argument();
KernelArgument float32Argument();

/// What the name of a kernel says of a type: nothing of float32.
std::string typeSuffix(ElementType type);

} // namespace attune::cpu

#endif
