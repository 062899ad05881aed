//===- FloatMath.h - Functions of score expressions -------------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_FLOATMATH_H
#define ATTUNE_CODEGEN_CPU_KERNELS_FLOATMATH_H

#include <Halide.h>

namespace attune::cpu {

/// e^x for every x: 0 from -104 down, infinity where the result exceeds float32; results below
/// 2^-126 are denormal. NaN stays NaN.
Halide::Expr expFloat(const Halide::Expr &x);

/// The natural logarithm, of denormals too: -inf of 0, NaN of a negative number or NaN.
Halide::Expr logFloat(const Halide::Expr &x);

/// The hyperbolic tangent with the sign of x, also of 0. NaN stays NaN.
Halide::Expr tanhFloat(const Halide::Expr &x);

} // namespace attune::cpu

#endif
