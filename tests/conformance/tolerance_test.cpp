//===- tolerance_test.cpp - The checker itself ----------------------------===//
#include "RandomProblem.h"
#include "Reference.h"
#include "Tolerance.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace attune;
using namespace attune::conformance;

namespace {
constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

class Checker : public testing::Test {
protected:
  Checker() {
    Random random(7);
    const Config config = configOf(R"({"op":"attention","module":{"num_heads":2,"head_dim":16}})");
    const Problem problem = normalProblem(config, {2, 9, 33}, random);
    exact = reference<double>(problem).out;
    naive = reference<float>(problem).out;
  }

  std::vector<double> exact;
  std::vector<float> naive;
};
} // namespace

TEST_F(Checker, AcceptsTheNaiveResult) {
  EXPECT_EQ(compare(naive, exact, naive), "");
  std::vector<float> rounded(exact.begin(), exact.end());
  EXPECT_EQ(compare(rounded, exact, naive), "");
}

TEST_F(Checker, RefusesOneWrongValue) {
  for (float difference : {1e-4f, -1e-4f, 1.0f, infinity, -infinity}) {
    std::vector<float> out = naive;
    out[100] += difference;
    EXPECT_NE(compare(out, exact, naive).find("element 100 "), std::string::npos) << difference;
  }
}

TEST_F(Checker, RefusesASwappedPair) {
  std::vector<float> out = naive;
  std::swap(out[3], out[4]);
  EXPECT_NE(compare(out, exact, naive), "");
}

TEST_F(Checker, RefusesAnUnexpectedNan) {
  std::vector<float> out = naive;
  out[0] = notANumber;
  EXPECT_NE(compare(out, exact, naive), "");
}

TEST_F(Checker, RefusesAMissingNan) {
  std::vector<float> out = naive;
  exact[5] = notANumber;
  EXPECT_NE(compare(out, exact, naive), "");
  out[5] = notANumber;
  EXPECT_EQ(compare(out, exact, naive), "");
}

TEST_F(Checker, ANanInTheTruthHidesNothingElse) {
  std::vector<float> out = naive;
  exact[5] = naive[5] = out[5] = notANumber;
  out[6] += 1e-3f;
  EXPECT_NE(compare(out, exact, naive).find("element 6 "), std::string::npos);
}

TEST_F(Checker, RefusesAllZerosAndUnwrittenOutputs) {
  EXPECT_NE(compare(std::vector<float>(exact.size(), 0.0f), exact, naive), "");
  EXPECT_NE(compare(std::vector<float>(exact.size(), -1.69e38f), exact, naive), "");
}

TEST_F(Checker, RefusesAnotherSize) { EXPECT_NE(compare({}, exact, naive), ""); }

TEST_F(Checker, InfinitiesMustBeTheSame) {
  EXPECT_EQ(compare({infinity}, {infinity}, {infinity}), "");
  EXPECT_NE(compare({-infinity}, {infinity}, {infinity}), "");
  EXPECT_NE(compare({3e38f}, {infinity}, {infinity}), "");
  // A naive overflow allows nothing.
  EXPECT_NE(compare({2.0f}, {1.0}, {infinity}), "");
}

// Values that follow from the definition, so that the reference is not its own judge.

TEST(ReferenceLoops, OneVisibleKeyGivesItsValue) {
  Random random(1);
  const Config config = configOf(R"({"op":"attention","module":{"num_heads":1,"head_dim":4},
                                     "forward":{"is_causal":true}})");
  const Problem problem = normalProblem(config, {1, 3, 5}, random);
  const std::vector<double> out = reference<double>(problem).out;
  for (int d = 0; d < 4; ++d)
    EXPECT_EQ(out[d], problem.inputs[2].values[d]);
}

TEST(ReferenceLoops, EqualScoresGiveTheMeanOfTheVisibleValues) {
  const Config config = configOf(R"({"op":"attention","module":{"num_heads":1,"head_dim":1},
                                     "forward":{"attn_mask":"bool_2d"}})");
  Problem problem = emptyProblem(config, {1, 3, 4});
  problem.input("value")->values = {1, 2, 4, 8};
  problem.input("attn_mask")->values = {0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 1};
  const std::vector<double> expected = {3.75, 5, 0};
  EXPECT_EQ(reference<double>(problem).out, expected);
  problem.config.fullyMaskedRows = FullyMaskedRows::Nan;
  EXPECT_TRUE(std::isnan(reference<double>(problem).out[2]));
}

TEST(ReferenceLoops, TwoScoresGiveALogisticWeight) {
  const Config config =
      configOf(R"({"op":"attention","module":{"num_heads":1,"head_dim":1,"scale":2}})");
  Problem problem = emptyProblem(config, {1, 1, 2});
  problem.input("query")->values = {0.5f};
  problem.input("key")->values = {3, 1};
  problem.input("value")->values = {1, 0};
  EXPECT_NEAR(reference<double>(problem).out[0], 1 / (1 + std::exp(-2.0)), 1e-15);
}

TEST(ReferenceLoops, TheModuleIsItsProjectionsAroundTheCore) {
  // Identity weights: value + bias, averaged, then out_proj.bias.
  const Config config = configOf(R"({"module":{"embed_dim":2,"num_heads":1},
                                     "forward":{"need_weights":false,"batched":false}})");
  Problem problem = emptyProblem(config, {1, 1, 2});
  problem.input("value")->values = {1, 2, 5, 8};
  HostTensor &weight = problem.parameters[0], &bias = problem.parameters[1];
  for (int row = 0; row < 6; ++row)
    weight.values[row * 2 + row % 2] = 1;
  bias.values = {9, 9, 9, 9, 10, 20};
  problem.parameters[2].values = {0, 1, 2, 0};
  problem.parameters[3].values = {0.5f, -0.5f};
  problem.input("query")->values = {0, 0};
  const std::vector<double> expected = {25.5, 25.5};
  EXPECT_EQ(reference<double>(problem).out, expected);
}
