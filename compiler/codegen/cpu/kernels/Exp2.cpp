//===- Exp2.cpp - 2^x for softmax -----------------------------------------===//
//
// x = n + f with n an integer and |f| <= 1/2;  2^x = p(f) * 2^n.
// Adding 1.5 * 2^23 + 127 rounds x to an integer in the low bits of the sum, biased as an exponent
// is, so that a shift by 23 makes 2^n. The scale is applied by a product, not by integer addition,
// so that NaN survives; n = -127 gives 2^n = 0.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Exp2.h"

namespace attune::cpu {

using Halide::Expr;

/// p(f) = 1 + c[0] f + c[1] f^2 + ...: minimax in relative error on [-1/2, 1/2] with p(0) = 1, each
/// coefficient rounded to float32 in turn, from the highest, and the others fitted again.
static const float coefficients[][maxExp2Degree] = {
    // degree 3, relative error 1.0e-4
    {0x1.62f5fap-1f, 0x1.f00c4ep-3f, 0x1.c2a216p-5f},
    // degree 4, relative error 2.9e-6
    {0x1.62e12cp-1f, 0x1.ec0378p-3f, 0x1.c9fc46p-5f, 0x1.3a02ccp-7f},
    // degree 5, relative error 1.7e-7: 2.02 ULP
    {0x1.62e42ap-1f, 0x1.ebf9bcp-3f, 0x1.c6b752p-5f, 0x1.3cea88p-7f, 0x1.5bba14p-10f},
    // degree 6, 0.94 ULP
    {0x1.62e430p-1f, 0x1.ebfbdcp-3f, 0x1.c6aee8p-5f, 0x1.3b2d4cp-7f, 0x1.5f3e54p-10f,
     0x1.41fbbcp-13f},
    // degree 7, 0.79 ULP
    {0x1.62e430p-1f, 0x1.ebfbe0p-3f, 0x1.c6b08ap-5f, 0x1.3b29f4p-7f, 0x1.5d8a86p-10f,
     0x1.445c84p-13f, 0x1.fde5fep-17f},
};

Expr exp2Polynomial(const Expr &x, int degree) {
  if (degree < minExp2Degree || degree > maxExp2Degree)
    throw Halide::CompileError("the degree of exp2 must be 3 to 7");
  const float magic = 0x1.8p23f + 127.0f;
  Expr clamped = Halide::select(x < -127.0f, -127.0f, x);
  Expr biased = clamped + magic;
  Expr f = clamped - (biased - magic);
  const float *c = coefficients[degree - minExp2Degree];
  Expr p = c[degree - 1];
  for (int i = degree - 2; i >= 0; --i)
    p = p * f + c[i];
  Expr scale = Halide::reinterpret<float>(Halide::reinterpret<int32_t>(biased) << 23);
  return (p * f + 1.0f) * scale;
}

} // namespace attune::cpu
