//===- FloatMath.cpp - Functions of score expressions ---------------------===//
//
// exp and tanh: x = n ln 2 + r with n an integer and |r| <= ln 2 / 2, ln 2 in two constants (Cody
// and Waite, "Software Manual for the Elementary Functions", 1980), and a polynomial for e^r - 1.
// log: x = m 2^e with m in [sqrt(1/2), sqrt(2)), and log m = f - f^2/2 + f^3 q(f) with f = m - 1,
// the form of logf in Moshier's Cephes library. The polynomials are minimax (Remez' exchange) in
// the error relative to the function, each coefficient rounded to float32 in turn, from the
// highest, and the others fitted again. What FloatMathTest measures on every float is in README.md.
//
// A NaN passes the clamps, since a comparison with it is false, and every product after them.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/FloatMath.h"
#include <limits>

namespace attune::cpu {

using Halide::Expr;

namespace {

/// ln 2 = high + low; high has 15 significant bits, so that n * high is exact for 9 bits of n.
constexpr float ln2High = 0x1.62e4p-1f;
constexpr float ln2Low = 0x1.7f7d1cp-20f;
constexpr float log2E = 0x1.715476p0f;

/// e^r - 1 = r + r^2 (c[0] + c[1] r + ...) on |r| <= ln 2 / 2, relative error 2^-28.2.
constexpr float expm1Coefficients[] = {0x1.000000p-1f, 0x1.555556p-3f,  0x1.5554b0p-5f,
                                       0x1.11118ap-7f, 0x1.6d723ep-10f, 0x1.a032c4p-13f};

/// log(1 + f) = f - f^2/2 + f^3 (c[0] + c[1] f + ...) on [sqrt(1/2) - 1, sqrt(2) - 1], relative
/// error 2^-28.2.
constexpr float logCoefficients[] = {0x1.555544p-2f,  -0x1.ffffdcp-3f, 0x1.99a6c4p-3f,
                                     -0x1.5568a4p-3f, 0x1.231762p-3f,  -0x1.fa3936p-4f,
                                     0x1.e6dddcp-4f,  -0x1.e9f7dcp-4f, 0x1.23076ep-4f};

template <size_t N> Expr polynomial(const float (&coefficients)[N], const Expr &x) {
  Expr value = coefficients[N - 1];
  for (size_t i = N - 1; i-- > 0;)
    value = value * x + coefficients[i];
  return value;
}

/// 2^n for n in [-126, 127].
Expr powerOfTwo(const Expr &n) { return Halide::reinterpret<float>((n + 127) << 23); }

/// e^x = (1 + expm1) * 2^n.
struct Reduced {
  Expr n;     ///< i32
  Expr expm1; ///< e^r - 1
};

/// Adding 1.5 * 2^23 rounds x log2 e to an integer in the low bits of the sum.
Reduced reduce(const Expr &x) {
  const float magic = 0x1.8p23f;
  Expr shifted = x * log2E + magic;
  Expr n = shifted - magic;
  Expr r = (x - n * ln2High) - n * ln2Low;
  return {Halide::reinterpret<int32_t>(shifted) - Halide::reinterpret<int32_t>(Expr(magic)),
          r + r * r * polynomial(expm1Coefficients, r)};
}

} // namespace

Expr expFloat(const Expr &x) {
  Expr above = select(x < -104.0f, -104.0f, x);
  auto [n, expm1] = reduce(select(above > 89.0f, 89.0f, above));
  // 2^n in two factors, since n reaches from -150 to 128.
  Expr half = n >> 1;
  return (expm1 + 1.0f) * powerOfTwo(half) * powerOfTwo(n - half);
}

Expr logFloat(const Expr &x) {
  // Unsigned, since the bits of negative numbers overflow; their result is not used.
  const Expr sqrtHalf = Halide::reinterpret<uint32_t>(Expr(0x3f3504f3)); // the bits of sqrt(1/2)
  Expr isDenormal = x < 0x1p-126f;
  Expr bits = Halide::reinterpret<uint32_t>(select(isDenormal, x * 0x1p25f, x));
  Expr exponent = Halide::reinterpret<int32_t>(bits - sqrtHalf) >> 23;
  Expr m = Halide::reinterpret<float>(bits - (Halide::reinterpret<uint32_t>(exponent) << 23));
  Expr f = m - 1.0f;
  Expr e = Halide::cast<float>(exponent - select(isDenormal, 25, 0));
  Expr square = f * f;
  Expr correction = square * f * polynomial(logCoefficients, f) - square * 0.5f;
  Expr result = (f + (e * ln2Low + correction)) + e * ln2High;

  const float infinity = std::numeric_limits<float>::infinity();
  result = select(x == 0.0f, -infinity, x < 0.0f, std::numeric_limits<float>::quiet_NaN(), result);
  return select(x < infinity, result, x);
}

Expr tanhFloat(const Expr &x) {
  Expr size = abs(x);
  // tanh a = t / (t + 2) with t = e^2a - 1; it is 1 in float32 from a = 9.02 on.
  auto [n, expm1] = reduce(select(size > 10.0f, 10.0f, size) * 2.0f);
  Expr power = powerOfTwo(n);
  Expr t = expm1 * power + (power - 1.0f);
  Expr sign = Halide::reinterpret<uint32_t>(x) & Halide::reinterpret<uint32_t>(Expr(-0.0f));
  return Halide::reinterpret<float>(Halide::reinterpret<uint32_t>(t / (t + 2.0f)) | sign);
}

} // namespace attune::cpu
