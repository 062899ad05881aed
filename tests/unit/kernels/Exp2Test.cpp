//===- Exp2Test.cpp - The accuracy of the exp2 polynomial -----------------===//
//
// A sample of floats; all floats up to 0 when ATTUNE_TEST_EXHAUSTIVE is set.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Exp2.h"
#include "FunctionTest.h"
#include <bit>
#include <cmath>

namespace attune::cpu::test {
namespace {

class Exp2 : public testing::TestWithParam<NamedTarget> {
protected:
  FunctionRunner runner(int degree) const {
    return FunctionRunner(
        [&](const Halide::Expr &x) { return exp2Polynomial(x, degree, GetParam().target); },
        GetParam().target);
  }
};

INSTANTIATE_TEST_SUITE_P(Host, Exp2, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

const uint32_t minusZero = 0x80000000, minusInfinityBits = 0xff800000;

TEST_P(Exp2, ErrorWithinBounds) {
  const double nearest[] = {1400, 45, 2.6, 1.5, 1.5}, above[] = {1450, 50, 3.1, 1.6, 1.6};
  const double *allowed = GetParam().target.avx512 ? above : nearest;
  for (int degree = minExp2Degree; degree <= maxExp2Degree; ++degree) {
    const FunctionRunner run = runner(degree);
    double worst = 0;
    auto check = [&](const Floats &in) {
      const Floats out = run(in);
      for (size_t i = 0; i < in.size(); ++i)
        worst = std::max(worst, ulpError(out[i], std::exp2(static_cast<double>(in[i]))));
    };
    forFloats(minusZero, std::bit_cast<uint32_t>(-126.0f), check);
    // Most floats are tiny: as many again that are evenly spaced.
    Floats even;
    for (int i = 0; i <= 126 * 4096; ++i)
      even.push_back(-static_cast<float>(i) / 4096);
    check(even);
    std::cout << "degree " << degree << ": " << worst << " ULP\n";
    EXPECT_LE(worst, allowed[degree - minExp2Degree]) << degree;
  }
}

TEST_P(Exp2, TinyResultsStayTiny) {
  for (int degree = minExp2Degree; degree <= maxExp2Degree; ++degree) {
    const FunctionRunner run = runner(degree);
    forFloats(std::bit_cast<uint32_t>(-126.0f), minusInfinityBits, [&](const Floats &in) {
      for (float value : run(in))
        ASSERT_TRUE(value >= 0 && value <= 0x1p-126f) << degree << ' ' << value;
    });
  }
}

TEST_P(Exp2, SpecialValues) {
  for (int degree = minExp2Degree; degree <= maxExp2Degree; ++degree) {
    const float infinity = std::numeric_limits<float>::infinity();
    const Floats out = runner(degree)(
        {0.0f, -0.0f, -1.0f, -126.0f, -infinity, NAN, -127.0f, -1e30f, -126.4f, 1.0f});
    EXPECT_EQ(out[0], 1.0f);
    EXPECT_EQ(out[1], 1.0f);
    EXPECT_EQ(out[2], 0.5f);
    EXPECT_EQ(out[3], 0x1p-126f);
    EXPECT_EQ(out[4], 0.0f);
    EXPECT_TRUE(std::isnan(out[5]));
    EXPECT_EQ(out[6], 0.0f);
    EXPECT_EQ(out[7], 0.0f);
    EXPECT_GE(out[8], 0.0f);
    EXPECT_LE(out[8], 0x1p-126f);
    EXPECT_EQ(out[9], 2.0f);
  }
}

} // namespace
} // namespace attune::cpu::test
