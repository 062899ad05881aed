//===- Exp2Coefficients.h - The approximation of 2^x ------------*- C++ -*-===//
//
// 2^x = p(f) * 2^n with n an integer and f = x - n, in two forms:
// - n nearest to x, |f| <= 1/2, from additions: adding 1.5 * 2^23 + 127 rounds x to an integer in
//   the low bits of the sum, biased as an exponent is, so that a shift by 23 makes 2^n. The scale
//   is applied by a product, not by integer addition, so that NaN survives; n = -127 gives 2^n = 0.
// - n below x, 0 <= f < 1, where there are instructions for f and p * 2^n (AVX-512).
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_EXP2COEFFICIENTS_H
#define ATTUNE_CODEGEN_CPU_KERNELS_EXP2COEFFICIENTS_H

namespace attune::cpu {

constexpr double log2E = 1.44269504088896340736;
constexpr int minExp2Degree = 3;
constexpr int maxExp2Degree = 7;

constexpr float exp2Magic = 0x1.8p23f + 127.0f;
/// x below it counts as it.
constexpr float exp2Least = -127.0f;
/// 2^x of an x below it counts as 0 in the second form: a subnormal result takes 200 cycles.
constexpr float exp2LeastNormal = -126.0f;

/// p(f) = 1 + c[0] f + c[1] f^2 + ...: minimax in relative error with p(0) = 1, each coefficient
/// rounded to float32 in turn, from the highest, and the others fitted again. A row for each
/// degree.
using Exp2Coefficients = float[maxExp2Degree - minExp2Degree + 1][maxExp2Degree];

/// On [-1/2, 1/2].
inline constexpr Exp2Coefficients exp2Coefficients = {
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

/// On [0, 1].
inline constexpr Exp2Coefficients exp2CoefficientsAbove = {
    // degree 3, relative error 8.6e-5
    {0x1.63e658p-1f, 0x1.d2378ap-3f, 0x1.3baaa6p-4f},
    // degree 4, relative error 3.0e-6
    {0x1.62d6c6p-1f, 0x1.ee2450p-3f, 0x1.abf86ap-5f, 0x1.b7f730p-7f},
    // degree 5, relative error 1.4e-7: 2.35 ULP
    {0x1.62e4bap-1f, 0x1.ebdb56p-3f, 0x1.c91ce6p-5f, 0x1.277856p-7f, 0x1.e974fap-10f},
    // degree 6, 1.05 ULP
    {0x1.62e42cp-1f, 0x1.ebfd58p-3f, 0x1.c68912p-5f, 0x1.3d0b92p-7f, 0x1.46d64ep-10f,
     0x1.c54174p-13f},
    // degree 7, 0.92 ULP
    {0x1.62e430p-1f, 0x1.ebfbd2p-3f, 0x1.c6b278p-5f, 0x1.3b0a74p-7f, 0x1.5fc57ep-10f,
     0x1.2d830cp-13f, 0x1.678bcap-16f},
};

} // namespace attune::cpu

#endif
