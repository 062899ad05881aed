//===- score_traps_test.cpp - Score expressions with known results --------===//
#include "Reference.h"
#include "Tolerance.h"
#include "TrapHelpers.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
constexpr float infinity = std::numeric_limits<float>::infinity();

/// op attention with this score, weights per head, and further members of "forward".
TestModule scored(const std::string &score, const std::string &forward = "", int heads = 1) {
  return compiledSmall(R"({"op":"attention","score":")" + score +
                       R"(","module":{"head_dim":1,"num_heads":)" + std::to_string(heads) +
                       R"(},"forward":{"need_weights":true,"average_attn_weights":false)" +
                       forward + "}}");
}

/// A softmax row.
std::vector<double> softmax(const std::vector<double> &scores) {
  std::vector<double> weights;
  double sum = 0;
  for (double score : scores)
    sum += std::exp(score);
  for (double score : scores)
    weights.push_back(std::exp(score) / sum);
  return weights;
}

void append(std::vector<double> &all, const std::vector<double> &more) {
  all.insert(all.end(), more.begin(), more.end());
}
} // namespace

TEST(Traps, ScoreAsARelativeBias) {
  const TestModule module = scored("s + 0.1 * (j - i)");
  const Problem problem = emptyProblem(module.config(), {1, 3, 70});
  std::vector<double> expected;
  for (int i = 0; i < 3; ++i) {
    std::vector<double> scores;
    for (int j = 0; j < 70; ++j)
      scores.push_back(double(0.1f) * (j - i));
    append(expected, softmax(scores));
  }
  expectNear(resultsOf(module, problem).weights, expected);
}

TEST(Traps, ScoreAsAlibiHasASlopeForEachHead) {
  const TestModule module = scored("s - 0.25 * (h + 1) / H * (i - j)", R"(,"is_causal":true)", 2);
  const Problem problem = emptyProblem(module.config(), {1, 3, 3});
  std::vector<double> expected;
  for (double slope : {0.125, 0.25}) {
    append(expected, {1, 0, 0});
    append(expected, softmax({-slope, 0}));
    expected.push_back(0);
    append(expected, softmax({-2 * slope, -slope, 0}));
  }
  expectNear(resultsOf(module, problem).weights, expected);
}

TEST(Traps, ScoreAsASoftCap) {
  const TestModule module = scored("50 * tanh(s / 50)");
  Problem problem = emptyProblem(module.config(), {1, 1, 4});
  problem.input("query")->values = {1};
  problem.input("key")->values = {3000, 49, 47, -3000};
  const double cap = 50;
  expectNear(resultsOf(module, problem).weights,
             softmax({cap, 50 * std::tanh(49 / cap), 50 * std::tanh(47 / cap), -cap}));
  // Without a cap, or with infinity under it.
  problem.input("key")->values = {infinity, infinity, 0, -infinity};
  expectNear(resultsOf(module, problem).weights, {0.5, 0.5, 0, 0});
}

TEST(Traps, ScoreIsScaledBeforeTheExpression) {
  // head_dim 4: the expression sees half of the dot product, 40 and 8.
  const TestModule module(R"_({"op":"attention","score":"log(1 + exp(min(s, 20)))",
      "module":{"head_dim":4,"num_heads":1},"forward":{
  "need_weights" : true}})_");
  Problem problem = emptyProblem(module.config(), {1, 1, 3});
  problem.input("query")->values = {1, 1, 0, 0};
  problem.input("key")->values = {40, 40, 0, 0, 8, 30, 0, 0, 20, 16, 9, 9};
  expectNear(resultsOf(module, problem).weights,
             softmax({std::log(1 + std::exp(20.0)), std::log(1 + std::exp(19.0)),
                      std::log(1 + std::exp(18.0))}));
}

TEST(Traps, MasksApplyAfterTheScore) {
  const TestModule module = scored("1", R"(,"attn_mask":"bool_2d","key_padding_mask":"float")");
  Problem problem = emptyProblem(module.config(), {1, 2, 4});
  problem.input("attn_mask")->values = {1, 0, 0, 0, 0, 0, 0, 1};
  problem.input("key_padding_mask")->values = {0, -infinity, 0, static_cast<float>(std::log(3.0))};
  expectNear(resultsOf(module, problem).weights, {0, 0, 0.25, 0.75, 0.5, 0, 0.5, 0});
}

TEST(Traps, ScoreOfMinusInfinityMasks) {
  const TestModule module = scored("where(abs(i - j) < 20, s, -inf)");
  const Problem problem = emptyProblem(module.config(), {1, 1, 100});
  std::vector<double> expected = repeated(100, 0);
  std::fill_n(expected.begin(), 20, 0.05);
  expectNear(resultsOf(module, problem).weights, expected);
}

TEST(Traps, ScoreSeesBatchHeadAndSizes) {
  for (const char *score : {"where(i == j or b == h or i > L - 5, -s, 0.5 * s)",
                            "where(not (j >= S - 3) and i != j, s + b, s * D / (H + D))"}) {
    const TestModule module = compiledSmall(
        std::string(R"({"op":"attention","module":{"head_dim":6,"num_heads":3},"score":")") +
        score + "\"}");
    Random random(1);
    expectReference(module, normalProblem(module.config(), {3, 20, 90}, random));
  }
}

TEST(Traps, AppendedColumnsBypassTheScore) {
  for (const char *weights : {"true", "false"}) {
    const TestModule module(std::string(R"({"score":"-inf","module":{"embed_dim":2,"num_heads":1,
        "add_bias_kv":true,"add_zero_attn":true},"forward":{"need_weights":)") +
                            weights + "}}");
    Problem problem = identityProblem(module, {1, 1, 3});
    problem.input("query")->values = {static_cast<float>(std::sqrt(2.0) * std::log(3.0)), 0};
    problem.parameter("bias_k")->values = {1, 0};
    problem.parameter("bias_v")->values = {4, 8};
    const Results<float> results = resultsOf(module, problem);
    if (module.config().forward.needWeights)
      expectNear(results.weights, {0, 0, 0, 0.75, 0.25});
    expectNear(results.out, {3, 6});
  }
}

TEST(Traps, ScoreSAloneChangesNothing) {
  const TestModule plain(R"({"op":"attention","module":{"head_dim":8,"num_heads":2}})");
  const TestModule same(R"({"op":"attention","score":"s","module":{"head_dim":8,"num_heads":2}})");
  Random random(2);
  Problem problem = normalProblem(plain.config(), {2, 9, 40}, random);
  const Results<double> exact = expectReference(plain, problem);
  problem.config = same.config();
  EXPECT_EQ(expectReference(same, problem).out, exact.out);
}
