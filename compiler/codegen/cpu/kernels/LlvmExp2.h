//===- LlvmExp2.h - 2^x in kernels that are written as LLVM IR --*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_LLVMEXP2_H
#define ATTUNE_CODEGEN_CPU_KERNELS_LLVMEXP2_H

#include "codegen/cpu/kernels/Exp2Coefficients.h"
#include "codegen/cpu/kernels/Kernel.h"
#include "llvm/IR/IRBuilder.h"

namespace attune::cpu {

/// The exp2Polynomial of Halide kernels (Exp2.h), for a vector of float32; with AVX-512 for whole
/// registers of 16.
llvm::Value *exp2Polynomial(llvm::IRBuilder<> &ir, llvm::Value *x, int degree,
                            const KernelTarget &target);

/// x - floor(x), and 0 of an infinity; an instruction of AVX-512.
llvm::Value *fractionAbove(llvm::IRBuilder<> &ir, llvm::Value *x);
/// p * 2^floor(x), 0 where x is less than -126; two instructions of AVX-512.
llvm::Value *scaledByPower(llvm::IRBuilder<> &ir, llvm::Value *p, llvm::Value *x);

} // namespace attune::cpu

#endif
