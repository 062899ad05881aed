//===- masked_traps_test.cpp - Masked rows, NaN, infinities, nothing at all ===//
//
// The other half of traps_test.cpp.
//
//===----------------------------------------------------------------------===//
#include "Reference.h"
#include "Tolerance.h"
#include "TrapHelpers.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float lowest = std::numeric_limits<float>::lowest();
constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

/// What hides a key in this mask.
float hiding(const HostTensor &mask) { return mask.isBool() ? 1 : -infinity; }

/// All ways to hide every key, as members of "forward" or of the configuration itself.
const char *const allHidden[] = {
    R"("forward":{"attn_mask":"bool_2d"})",
    R"("forward":{"attn_mask":"bool_3d","is_causal":true})",
    R"("forward":{"attn_mask":"float_2d"})",
    R"("forward":{"attn_mask":"float_3d","key_padding_mask":"float"})",
    R"("forward":{"key_padding_mask":"bool"})",
    R"("forward":{"key_padding_mask":"float"})",
    R"("score":"-inf")",
};

/// A module with weights whose masks hide everything.
Problem hiddenProblem(const TestModule &module) {
  Random random(1);
  Problem problem = normalProblem(module.config(), {2, 8, 70}, random);
  for (const char *name : {"attn_mask", "key_padding_mask"})
    if (HostTensor *mask = problem.input(name))
      mask->values.assign(mask->count(), hiding(*mask));
  return problem;
}
} // namespace

// ---- Fully masked rows --------------------------------------------------------------------------

TEST(Traps, FullyMaskedRowsYieldTheOutputBias) {
  for (const char *hidden : allHidden) {
    const TestModule module =
        compiledSmall(std::string(R"({"module":{"embed_dim":8,"num_heads":2},)") + hidden + "}");
    const Problem problem = hiddenProblem(module);
    const Results<float> results = resultsOf(module, problem);
    const std::vector<float> &bias = problem.parameter("out_proj.bias")->values;
    for (size_t k = 0; k < results.out.size(); ++k)
      EXPECT_EQ(results.out[k], bias[k % bias.size()]) << hidden;
    EXPECT_EQ(results.weights, std::vector<float>(2 * 8 * 70, 0.0f)) << hidden;
  }
}

TEST(Traps, FullyMaskedRowsAreNanUnderThatPolicy) {
  for (const char *hidden : allHidden) {
    const TestModule module = compiledSmall(
        std::string(R"({"fully_masked_rows":"nan","module":{"embed_dim":8,"num_heads":2},)") +
        hidden + "}");
    const Results<float> results = resultsOf(module, hiddenProblem(module));
    EXPECT_TRUE(isAllNan(results.out)) << hidden;
    EXPECT_TRUE(isAllNan(results.weights)) << hidden;
  }
}

TEST(Traps, FullyMaskedRowsWithoutWeights) {
  for (const char *policy : {"zero", "nan"})
    for (const char *mask : {"bool_2d", "float_2d", "bool_3d"}) {
      const TestModule module =
          compiledSmall(std::string(R"({"op":"attention","module":{"num_heads":2,"head_dim":5},
              "fully_masked_rows":")") +
                        policy + R"(","forward":{"attn_mask":")" + mask + "\"}}");
      const Results<float> results = resultsOf(module, hiddenProblem(module));
      if (module.config().fullyMaskedRows == FullyMaskedRows::Nan)
        EXPECT_TRUE(isAllNan(results.out)) << mask;
      else
        EXPECT_EQ(results.out, std::vector<float>(results.out.size(), 0.0f)) << mask;
    }
}

TEST(Traps, OneMaskedRowLeavesTheOthersAlone) {
  for (const char *policy : {"zero", "nan"}) {
    const TestModule module =
        compiledSmall(std::string(R"({"op":"attention","module":{"num_heads":1,"head_dim":1},
            "fully_masked_rows":")") +
                      policy + R"(","forward":{"attn_mask":"bool_2d","need_weights":true}})");
    Problem problem = emptyProblem(module.config(), {1, 3, 2});
    problem.input("value")->values = {2, 4};
    problem.input("attn_mask")->values = {0, 0, 1, 1, 1, 0};
    const Results<float> results = resultsOf(module, problem);
    EXPECT_EQ(results.out[0], 3);
    EXPECT_EQ(results.out[2], 4);
    EXPECT_EQ(results.weights[0], 0.5f);
    EXPECT_EQ(results.weights[5], 1);
    for (float value : {results.out[1], results.weights[2], results.weights[3]})
      EXPECT_TRUE(std::string(policy) == "nan" ? std::isnan(value) : value == 0) << value;
  }
}

TEST(Traps, OneMaskedHeadHalvesTheAverage) {
  const TestModule module(R"({"op":"attention","module":{"num_heads":2,"head_dim":1},
      "forward":{"batched":false,"attn_mask":"bool_3d","need_weights":true}})");
  Problem problem = emptyProblem(module.config(), {1, 1, 2});
  problem.input("attn_mask")->values = {0, 0, 1, 1};
  expectNear(resultsOf(module, problem).weights, {0.25, 0.25});
}

// ---- Nothing at all -----------------------------------------------------------------------------

TEST(Traps, NoSourceIsTheFullyMaskedCase) {
  for (const char *source : {"null", "0"})
    for (const char *policy : {"zero", "nan"}) {
      const TestModule module(std::string(R"({"module":{"embed_dim":6,"num_heads":2},
          "fully_masked_rows":")") +
                              policy + R"(","forward":{"attn_mask":"float_3d",
          "key_padding_mask":"bool","source_length":)" +
                              source + "}}");
      Random random(2);
      const Problem problem = normalProblem(module.config(), {2, 9, 0}, random);
      const Results<float> results = resultsOf(module, problem);
      EXPECT_TRUE(results.weights.empty());
      const std::vector<float> &bias = problem.parameter("out_proj.bias")->values;
      for (size_t k = 0; k < results.out.size(); ++k)
        EXPECT_TRUE(std::string(policy) == "nan" ? std::isnan(results.out[k])
                                                 : results.out[k] == bias[k % bias.size()]);
    }
}

TEST(Traps, NoTargetAndNoBatchGiveEmptyResults) {
  for (const char *weights : {"true", "false"}) {
    const TestModule module(std::string(R"({"module":{"embed_dim":6,"num_heads":2,
        "add_bias_kv":true,"kdim":4},"forward":{"attn_mask":"bool_3d","key_padding_mask":"float",
        "need_weights":)") + weights +
                            "}}");
    Random random(3);
    for (const CallSizes &sizes : {CallSizes{2, 0, 5}, CallSizes{0, 3, 5}, CallSizes{0, 0, 0},
                                   CallSizes{2, 0, 0}, CallSizes{0, 3, 0}}) {
      const Results<float> results =
          resultsOf(module, normalProblem(module.config(), sizes, random));
      EXPECT_TRUE(results.out.empty() && results.weights.empty());
    }
  }
}

// ---- NaN and infinity ---------------------------------------------------------------------------

TEST(Traps, PaddedNanNeverReachesTheResult) {
  const char *const configurations[] = {
      R"({"module":{"embed_dim":12,"num_heads":2},"forward":{"key_padding_mask":"bool",
          "need_weights":false}})",
      R"({"module":{"embed_dim":12,"num_heads":2,"add_bias_kv":true,"kdim":5,"vdim":7},
          "forward":{"key_padding_mask":"bool","attn_mask":"float_2d"}})",
      R"({"module":{"embed_dim":12,"num_heads":2,"batch_first":true},"forward":{
          "key_padding_mask":"float","need_weights":false,"inputs":"shared_key_value"}})",
      R"({"op":"attention","module":{"num_heads":2,"head_dim":16},"forward":{
          "key_padding_mask":"float","attn_mask":"bool_3d","need_weights":true}})",
      R"({"op":"attention","module":{"num_heads":2,"head_dim":16},"forward":{
          "key_padding_mask":"bool","is_causal":true}})",
      R"_({"op":"attention","score":"s - 4 * abs(i / L - j / S)","module":{"num_heads":1,
          "head_dim":3},"forward":{"key_padding_mask":"bool"}})_"};
  for (const char *json : configurations) {
    const TestModule module = compiledSmall(json);
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(std::string(json) + " seed " + std::to_string(seed));
      Random random(seed);
      Problem problem = normalProblem(module.config(), {3, 10, 150}, random);
      const Results<float> clean = resultsOf(module, problem);
      poisonPadding(problem, random);
      const Results<float> poisoned = resultsOf(module, problem);
      // Not even the bits change.
      EXPECT_EQ(poisoned.out, clean.out);
      EXPECT_EQ(poisoned.weights, clean.weights);
      EXPECT_FALSE(hasNan(poisoned.out));
    }
  }
}

TEST(Traps, NanOutsideTheTensorsNeverReachesTheResult) {
  // A surrounded tensor has NaN right after its last row and between rows.
  const TestModule module = compiledSmall(R"({"module":{"embed_dim":12,"num_heads":2,
      "add_zero_attn":true},"forward":{"attn_mask":"float_3d","key_padding_mask":"float"}})");
  const attune::Context context(2);
  for (int64_t source = 1; source <= 70; ++source) {
    Random random(source);
    Problem problem = normalProblem(module.config(), {2, 7, source}, random);
    const CallStyle style{Placement::Surrounded, true, true};
    const Outcome outcome = module.run(context, problem, style, random);
    ASSERT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
    ASSERT_EQ(outcome.damage, "");
    ASSERT_EQ(compare(outcome, reference<double>(problem), reference<float>(problem)), "")
        << "S=" << source;
  }
}

TEST(Traps, NanThatIsNotMaskedIsPropagated) {
  for (const char *weights : {"true", "false"}) {
    const TestModule module =
        compiledSmall(std::string(R"({"op":"attention","module":{"num_heads":2,"head_dim":4},
            "forward":{"key_padding_mask":"bool","need_weights":)") +
                      weights + "}}");
    for (const char *name : {"query", "key", "value"})
      for (int64_t at : {0, 90}) {
        Random random(5);
        Problem problem = normalProblem(module.config(), {2, 8, 100}, random);
        problem.input("key_padding_mask")->values.assign(200, 0);
        const bool isQuery = std::string(name) == "query";
        // One element of the first head of the first batch element.
        problem.input(name)->values[(isQuery ? at % 8 : at) * 4 + 1] = notANumber;
        Results<float> results = resultsOf(module, problem);
        const Results<double> exact = reference<double>(problem);
        EXPECT_TRUE(hasNan(results.out));
        EXPECT_EQ(compare(results, exact, reference<float>(problem)), "") << name << " " << at;
      }
  }
}

// ---- Finite minima ------------------------------------------------------------------------------

TEST(Traps, RowsOfFiniteMinimaAreAttendedUniformly) {
  for (float minimum : {lowest, -1e9f})
    for (const char *mask :
         {"attn_mask\":\"float_2d", "attn_mask\":\"float_3d", "key_padding_mask\":\"float"})
      for (const char *weights : {"true", "false"}) {
        const TestModule module =
            compiledSmall(std::string(R"({"op":"attention","module":{"num_heads":2,"head_dim":4},
                "forward":{")") +
                          mask + R"(","need_weights":)" + weights + "}}");
        Random random(6);
        Problem problem = normalProblem(module.config(), {1, 5, 130}, random);
        HostTensor &tensor = problem.inputs.back();
        tensor.values.assign(tensor.count(), minimum);
        const Results<float> results = resultsOf(module, problem);
        expectNear(results.weights, repeated(results.weights.size(), 1 / 130.0));
        const std::vector<float> &value = problem.input("value")->values;
        for (int64_t k = 0; k < 2 * 5 * 4; ++k) {
          double sum = 0;
          for (int64_t j = 0; j < 130; ++j)
            sum += value[(k / 20 * 130 + j) * 4 + k % 4];
          EXPECT_NEAR(results.out[k], sum / 130, 2e-6) << mask;
        }
      }
}

TEST(Traps, FiniteMinimaHideKeysAmongOthers) {
  const TestModule module = compiledSmall(R"({"op":"attention","module":{"num_heads":1,
      "head_dim":2},"forward":{"batched":false,"attn_mask":"float_2d","key_padding_mask":"float",
      "need_weights":true}})");
  Problem problem = emptyProblem(module.config(), {1, 2, 4});
  problem.input("attn_mask")->values = {lowest, 0, 0, -1e9f, lowest, lowest, lowest, lowest};
  problem.input("key_padding_mask")->values = {0, 0, 0, -infinity};
  const double third = 1 / 3.0;
  expectNear(resultsOf(module, problem).weights, {0, 0.5, 0.5, 0, third, third, third, 0});
}

TEST(Traps, FiniteMinimaBesideLargeScores) {
  // A score of 1e4 does not lift a key above one that is not masked at all.
  const TestModule module(R"({"op":"attention","module":{"num_heads":1,"head_dim":1},
      "forward":{"batched":false,"attn_mask":"float_2d","need_weights":true}})");
  Problem problem = emptyProblem(module.config(), {1, 2, 3});
  problem.input("query")->values = {1e4f, -1e4f};
  problem.input("key")->values = {1, -1, 1};
  problem.input("attn_mask")->values = {lowest, 0, -1e9f, 0, lowest, -1e9f};
  expectNear(resultsOf(module, problem).weights, {0, 1, 0, 1, 0, 0});
}
