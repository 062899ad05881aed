//===- LlvmExp2.h - 2^x in kernels that are written as LLVM IR --*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_LLVMEXP2_H
#define ATTUNE_CODEGEN_CPU_KERNELS_LLVMEXP2_H

#include "codegen/cpu/kernels/Exp2Coefficients.h"
#include "llvm/IR/IRBuilder.h"

namespace attune::cpu {

/// The exp2Polynomial of Halide kernels (Exp2.h), for a vector of float32.
llvm::Value *exp2Polynomial(llvm::IRBuilder<> &ir, llvm::Value *x, int degree);

} // namespace attune::cpu

#endif
