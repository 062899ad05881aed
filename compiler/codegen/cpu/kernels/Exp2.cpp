//===- Exp2.cpp - 2^x for softmax -----------------------------------------===//

#include "codegen/cpu/kernels/Exp2.h"

namespace attune::cpu {

using Halide::Expr;

Expr exp2Polynomial(const Expr &x, int degree) {
  if (degree < minExp2Degree || degree > maxExp2Degree)
    throw Halide::CompileError("the degree of exp2 must be 3 to 7");
  Expr clamped = Halide::select(x < exp2Least, exp2Least, x);
  Expr biased = clamped + exp2Magic;
  Expr f = clamped - (biased - exp2Magic);
  const float *c = exp2Coefficients[degree - minExp2Degree];
  Expr p = c[degree - 1];
  for (int i = degree - 2; i >= 0; --i)
    p = p * f + c[i];
  Expr scale = Halide::reinterpret<float>(Halide::reinterpret<int32_t>(biased) << 23);
  return (p * f + 1.0f) * scale;
}

} // namespace attune::cpu
