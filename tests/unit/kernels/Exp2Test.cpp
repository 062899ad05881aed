//===- Exp2Test.cpp - The accuracy of the exp2 polynomial -----------------===//

#include "codegen/cpu/kernels/Exp2.h"
#include "KernelTest.h"
#include "codegen/cpu/kernels/HalideCommon.h"
#include <cmath>

namespace attune::cpu::test {
namespace {

/// out[i] = exp2(in[i]) for whole vectors.
JitKernel makeExp2(int degree, const KernelTarget &target) {
  llvm::Expected<Kernel> kernel = compileKernel({"exp2", {}, {}}, target, [&]() -> Recipe {
    Halide::ImageParam in = inputBuffer("in", 1);
    Halide::Var x("x");
    Halide::Func out("out");
    out(x) = exp2Polynomial(in(x), degree);
    out.vectorize(x, target.vectorLanes, Halide::TailStrategy::RoundUp);
    constrainOutput(out);
    return {{out}, {in}};
  });
  if (!kernel)
    throw std::runtime_error(llvm::toString(kernel.takeError()));
  return JitKernel(*kernel, llvm::OptimizationLevel::O2);
}

class Exp2 : public testing::TestWithParam<NamedTarget> {
protected:
  Floats run(int degree, Floats in) {
    in.resize(roundUp(static_cast<int>(in.size()), 16));
    Floats out(in.size());
    const int size = static_cast<int>(in.size());
    makeExp2(degree, GetParam().target)(Buffer(in.data(), {size}).get(),
                                        Buffer(out.data(), {size}).get());
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Host, Exp2, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

TEST_P(Exp2, ErrorWithinBounds) {
  const double allowed[] = {1400, 45, 2.6, 1.5, 1.5};
  Floats in;
  for (int i = 0; i <= 126 * 4096; ++i)
    in.push_back(-static_cast<float>(i) / 4096);
  for (float x : randomFloats(100000, 9))
    in.push_back(x * 63 - 63);
  for (int degree = 3; degree <= 7; ++degree) {
    const Floats out = run(degree, in);
    double worst = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      const double exact = std::exp2(static_cast<double>(in[i]));
      const double ulp = std::ldexp(1.0, std::ilogb(exact) - 23);
      worst = std::max(worst, std::abs(out[i] - exact) / ulp);
    }
    EXPECT_LE(worst, allowed[degree - 3]) << degree;
  }
}

TEST_P(Exp2, SpecialValues) {
  for (int degree = 3; degree <= 7; ++degree) {
    const float infinity = std::numeric_limits<float>::infinity();
    const Floats out =
        run(degree, {0.0f, -0.0f, -1.0f, -126.0f, -infinity, NAN, -127.0f, -1e30f, -126.4f, 1.0f});
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
