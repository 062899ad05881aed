//===- Exp2.h - 2^x for softmax ---------------------------------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_EXP2_H
#define ATTUNE_CODEGEN_CPU_KERNELS_EXP2_H

#include "codegen/cpu/kernels/Exp2Coefficients.h"
#include "codegen/cpu/kernels/Kernel.h"
#include <Halide.h>

namespace attune::cpu {

/// 2^x for x <= 127: at most 2 ULP on [-126, 0] from degree 6, in [0, 2^-126] below; 2^-inf is 0
/// and NaN stays NaN. 2^0 is exactly 1. With AVX-512 kernels should vectorise it.
Halide::Expr exp2Polynomial(const Halide::Expr &x, int degree, const KernelTarget &target);

} // namespace attune::cpu

#endif
