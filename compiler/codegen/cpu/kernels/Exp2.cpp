//===- Exp2.cpp - 2^x for softmax -----------------------------------------===//

#include "codegen/cpu/kernels/Exp2.h"
#include "codegen/cpu/kernels/HalideCommon.h"
#include "codegen/cpu/kernels/VectorCalls.h"

namespace attune::cpu {

using Halide::Expr;

static Expr polynomial(const Expr &f, const float *coefficients, int degree) {
  Expr p = coefficients[degree - 1];
  for (int i = degree - 2; i >= 0; --i)
    p = p * f + coefficients[i];
  return p * f + 1.0f;
}

Expr exp2Polynomial(const Expr &x, int degree, const KernelTarget &target) {
  if (degree < minExp2Degree || degree > maxExp2Degree)
    throw Halide::CompileError("the degree of exp2 must be 3 to 7");
  const int row = degree - minExp2Degree;
  if (target.avx512) {
    Expr p = polynomial(pureCall(fractionAboveFunction, {x}), exp2CoefficientsAbove[row], degree);
    return pureCall(scaledByPowerFunction, {p, x});
  }
  Expr clamped = Halide::select(x < exp2Least, exp2Least, x);
  Expr biased = clamped + exp2Magic;
  Expr f = clamped - (biased - exp2Magic);
  Expr scale = Halide::reinterpret<float>(Halide::reinterpret<int32_t>(biased) << 23);
  return polynomial(f, exp2Coefficients[row], degree) * scale;
}

} // namespace attune::cpu
