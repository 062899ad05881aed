//===- Exp2Coefficients.h - The approximation of 2^x ------------*- C++ -*-===//
//
// x = n + f with n an integer and |f| <= 1/2;  2^x = p(f) * 2^n.
// Adding 1.5 * 2^23 + 127 rounds x to an integer in the low bits of the sum, biased as an exponent
// is, so that a shift by 23 makes 2^n. The scale is applied by a product, not by integer addition,
// so that NaN survives; n = -127 gives 2^n = 0.
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

/// p(f) = 1 + c[0] f + c[1] f^2 + ...: minimax in relative error on [-1/2, 1/2] with p(0) = 1, each
/// coefficient rounded to float32 in turn, from the highest, and the others fitted again. A row for
/// each degree.
inline constexpr float exp2Coefficients[][maxExp2Degree] = {
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

} // namespace attune::cpu

#endif
