//===- FloatMathTest.cpp - The accuracy of exp, log and tanh --------------===//
//
// A sample of floats of all magnitudes; all floats when ATTUNE_TEST_EXHAUSTIVE is set.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/FloatMath.h"
#include "FunctionTest.h"
#include <bit>
#include <cmath>

namespace attune::cpu::test {
namespace {

const float infinity = std::numeric_limits<float>::infinity();

struct Function {
  const char *name;
  Halide::Expr (*make)(const Halide::Expr &x);
  double (*exact)(double x);
  double allowed; ///< greatest error in ULP
};
const Function functions[] = {
    {"exp", expFloat, std::exp, 1.5},
    {"log", logFloat, std::log, 1.5},
    {"tanh", tanhFloat, std::tanh, 2.5},
};

class FloatMath : public testing::TestWithParam<NamedTarget> {
protected:
  FunctionRunner runner(const Function &function) const {
    return FunctionRunner(function.make, GetParam().target);
  }
};

INSTANTIATE_TEST_SUITE_P(Host, FloatMath, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

TEST_P(FloatMath, ErrorWithinBounds) {
  for (const Function &function : functions) {
    const FunctionRunner run = runner(function);
    double worst = 0;
    float worstAt = 0;
    forFloats(0, 0xffffffff, [&](const Floats &in) {
      const Floats out = run(in);
      for (size_t i = 0; i < in.size(); ++i) {
        const double exact = function.exact(in[i]);
        if (std::isnan(exact)) {
          ASSERT_TRUE(std::isnan(out[i])) << function.name << ' ' << in[i];
        } else if (const double error = ulpError(out[i], exact); !(error <= worst)) {
          worst = error;
          worstAt = in[i];
        }
      }
    });
    std::cout << function.name << ": " << worst << " ULP at " << worstAt << '\n';
    EXPECT_LE(worst, function.allowed) << function.name;
  }
}

TEST_P(FloatMath, SpecialValues) {
  const Floats in{0.0f, -0.0f, infinity, -infinity, NAN, -NAN, -1.0f, 0x1p-149f, 1.0f, 100.0f};
  const Floats exp = runner(functions[0])(in), log = runner(functions[1])(in),
               tanh = runner(functions[2])(in);
  EXPECT_EQ(exp[0], 1.0f);
  EXPECT_EQ(exp[1], 1.0f);
  EXPECT_EQ(exp[2], infinity);
  EXPECT_EQ(exp[3], 0.0f);
  EXPECT_EQ(exp[9], infinity);
  EXPECT_EQ(log[0], -infinity);
  EXPECT_EQ(log[1], -infinity);
  EXPECT_EQ(log[2], infinity);
  EXPECT_TRUE(std::isnan(log[3]));
  EXPECT_TRUE(std::isnan(log[6]));
  EXPECT_FLOAT_EQ(log[7], -103.27893f);
  EXPECT_EQ(log[8], 0.0f);
  EXPECT_EQ(tanh[0], 0.0f);
  EXPECT_TRUE(std::signbit(tanh[1]) && tanh[1] == 0.0f);
  EXPECT_EQ(tanh[2], 1.0f);
  EXPECT_EQ(tanh[3], -1.0f);
  EXPECT_EQ(tanh[7], 0x1p-149f);
  EXPECT_EQ(tanh[9], 1.0f);
  for (const Floats &out : {exp, log, tanh})
    EXPECT_TRUE(std::isnan(out[4]) && std::isnan(out[5]));
}

} // namespace
} // namespace attune::cpu::test
