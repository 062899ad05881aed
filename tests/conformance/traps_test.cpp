//===- traps_test.cpp - What is easy to get wrong about the module --------===//
//
// Appended columns, orders of operations, causality, layouts. masked_traps_test.cpp has masked
// rows, NaN and infinities, score_traps_test.cpp score expressions.
//
//===----------------------------------------------------------------------===//
#include "Reference.h"
#include "Tolerance.h"
#include "TrapHelpers.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
constexpr float infinity = std::numeric_limits<float>::infinity();

float logOf(double number) { return static_cast<float>(std::log(number)); }
} // namespace

// ---- bias_k, bias_v and the zero key ------------------------------------------------------------

TEST(Traps, AppendedColumnsComeAfterTheProjectionAndZeroLast) {
  // Two heads of width 1, query 1. Scores: key ln 3, bias_k ln 2 and ln 4, the zero key 0.
  const TestModule module(R"({"module":{"embed_dim":2,"num_heads":2,"batch_first":true,
      "add_bias_kv":true,"add_zero_attn":true},"forward":{"average_attn_weights":false}})");
  Problem problem = identityProblem(module, {1, 1, 1});
  problem.input("query")->values = {1, 1};
  problem.input("value")->values = {6, 8};
  problem.parameter("bias_k")->values = {logOf(2), logOf(4)};
  problem.parameter("bias_v")->values = {12, 24};
  // The projection makes the given key ln 3 of 0, and leaves bias_k and the zero key alone.
  problem.parameter("in_proj_bias")->values = {0, 0, logOf(3), logOf(3), 0, 0};
  const Results<float> results = resultsOf(module, problem);
  expectNear(results.weights, {3 / 6.0, 2 / 6.0, 1 / 6.0, 3 / 8.0, 4 / 8.0, 1 / 8.0});
  expectNear(results.out, {3 / 6.0 * 6 + 2 / 6.0 * 12, 3 / 8.0 * 8 + 4 / 8.0 * 24});
}

TEST(Traps, EachAppendedColumnWidensTheWeights) {
  for (const auto &[keys, columns] :
       {std::pair(R"("add_bias_kv":true)", 4), std::pair(R"("add_zero_attn":true)", 4),
        std::pair(R"("add_bias_kv":true,"add_zero_attn":true)", 5)}) {
    const TestModule module(std::string(R"({"module":{"embed_dim":4,"num_heads":2,)") + keys +
                            "}}");
    const Problem problem = emptyProblem(module.config(), {2, 1, 3});
    EXPECT_EQ(problem.outputs()[1].sizes, (std::vector<int64_t>{2, 1, columns}));
    // All scores are 0.
    expectNear(resultsOf(module, problem).weights, repeated(2 * columns, 1.0 / columns));
  }
}

TEST(Traps, AppendedColumnsStayVisibleUnderAllMasks) {
  for (const char *masks :
       {R"("attn_mask":"bool_2d","key_padding_mask":"float")",
        R"("attn_mask":"float_3d","key_padding_mask":"bool")", R"("attn_mask":"bool_3d")",
        R"("key_padding_mask":"bool","is_causal":true)"}) {
    const TestModule module(std::string(R"({"module":{"embed_dim":2,"num_heads":1,
        "add_bias_kv":true,"add_zero_attn":true},"forward":{)") +
                            masks + "}}");
    Problem problem = identityProblem(module, {1, 2, 3});
    problem.input("value")->values = {1, 2, 3, 4, 5, 6};
    problem.parameter("bias_v")->values = {8, -2};
    for (HostTensor &input : problem.inputs)
      if (input.name == "attn_mask" || input.name == "key_padding_mask")
        input.values.assign(input.count(), input.isBool() ? 1 : -infinity);
    const Results<float> results = resultsOf(module, problem);
    expectNear(results.weights, {0, 0, 0, 0.5, 0.5, 0, 0, 0, 0.5, 0.5});
    expectNear(results.out, {4, -1, 4, -1});
  }
}

TEST(Traps, AppendedColumnsAreTheOnlyKeysWithoutASource) {
  const TestModule module(R"({"module":{"embed_dim":2,"num_heads":2,"add_bias_kv":true}})");
  Problem problem = identityProblem(module, {2, 3, 0});
  problem.parameter("bias_v")->values = {7, 9};
  const Results<float> results = resultsOf(module, problem);
  expectNear(results.weights, repeated(2 * 3, 1));
  for (size_t k = 0; k < results.out.size(); k += 2)
    expectNear({results.out[k], results.out[k + 1]}, {7, 9});
}

// ---- Orders of operations -----------------------------------------------------------------------

TEST(Traps, ScoresAreScaledBeforeMasksAreAdded) {
  // head_dim 4: query . key = 2 ln 3 becomes ln 3; the mask adds ln 2 unscaled.
  const TestModule module(R"({"op":"attention","module":{"num_heads":1,"head_dim":4},
      "forward":{"batched":false,"attn_mask":"float_2d","need_weights":true}})");
  Problem problem = emptyProblem(module.config(), {1, 1, 3});
  problem.input("query")->values = {1, 0, 0, 0};
  problem.input("key")->values = {2 * logOf(3), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  problem.input("attn_mask")->values = {0, logOf(2), 0};
  expectNear(resultsOf(module, problem).weights, {3 / 6.0, 2 / 6.0, 1 / 6.0});
}

TEST(Traps, AveragedWeightsAreTheMeanOverHeads) {
  const std::string module = R"({"module":{"embed_dim":30,"num_heads":5,"add_zero_attn":true},)";
  const TestModule averaged(module + R"("forward":{}})");
  const TestModule perHead(module + R"("forward":{"average_attn_weights":false}})");
  Random random(1);
  Problem problem = normalProblem(averaged.config(), {2, 7, 40}, random);
  const Results<float> mean = resultsOf(averaged, problem);
  problem.config = perHead.config();
  const std::vector<float> weights = resultsOf(perHead, problem).weights;
  const size_t plane = 7 * 41;
  std::vector<double> expected(2 * plane);
  for (size_t k = 0; k < weights.size(); ++k)
    expected[k / plane / 5 * plane + k % plane] += weights[k] / 5.0;
  expectNear(mean.weights, expected);
}

TEST(Traps, NeedWeightsChangesTheOutputByRoundingOnly) {
  const std::string module =
      R"({"module":{"embed_dim":24,"num_heads":3,"add_bias_kv":true},"forward":{
          "attn_mask":"bool_3d","key_padding_mask":"float","is_causal":true,"need_weights":)";
  const TestModule with(module + "true}}"), without(module + "false}}");
  Random random(2);
  Problem problem = normalProblem(with.config(), {3, 50, 170}, random);
  const Results<double> exact = expectReference(with, problem);
  problem.config = without.config();
  EXPECT_EQ(expectReference(without, problem).out, exact.out);
}

TEST(Traps, DropoutDoesNothingInInference) {
  std::vector<std::vector<float>> outs;
  for (const char *dropout : {"0", "0.5", "1"}) {
    const TestModule module(std::string(R"({"module":{"embed_dim":8,"num_heads":2,"dropout":)") +
                            dropout + "}}");
    Random random(3);
    const Problem problem = normalProblem(module.config(), {2, 3, 9}, random);
    const Results<float> results = resultsOf(module, problem);
    outs.push_back(results.out);
    outs.back().insert(outs.back().end(), results.weights.begin(), results.weights.end());
  }
  EXPECT_EQ(outs[0], outs[1]);
  EXPECT_EQ(outs[0], outs[2]);
}

// ---- is_causal ----------------------------------------------------------------------------------

TEST(Traps, CausalAloneMasksFromTheTopLeft) {
  const TestModule module(R"({"op":"attention","module":{"num_heads":1,"head_dim":1},
      "forward":{"batched":false,"is_causal":true,"need_weights":true}})");
  // All scores are 0, whether there are more keys or more queries.
  Problem wide = emptyProblem(module.config(), {1, 2, 3});
  expectNear(resultsOf(module, wide).weights, {1, 0, 0, 0.5, 0.5, 0});
  Problem tall = emptyProblem(module.config(), {1, 3, 2});
  expectNear(resultsOf(module, tall).weights, {1, 0, 0.5, 0.5, 0.5, 0.5});
}

TEST(Traps, CausalAndAMaskBothApply) {
  for (const char *kind : {"bool_2d", "float_2d"}) {
    const TestModule module(std::string(R"({"op":"attention","module":{"num_heads":1,"head_dim":1},
        "forward":{"batched":false,"is_causal":true,"need_weights":true,"attn_mask":")") +
                            kind + "\"}}");
    Problem problem = emptyProblem(module.config(), {1, 3, 3});
    HostTensor &mask = *problem.input("attn_mask");
    const float hidden = mask.isBool() ? 1 : -infinity;
    mask.values = {0, 0, 0, hidden, 0, 0, 0, hidden, 0};
    expectNear(resultsOf(module, problem).weights, {1, 0, 0, 0, 1, 0, 0.5, 0, 0.5});
  }
}

TEST(Traps, CausalLeavesAppendedColumnsVisible) {
  const TestModule module(R"({"module":{"embed_dim":2,"num_heads":1,"add_bias_kv":true,
      "add_zero_attn":true},"forward":{"is_causal":true}})");
  Problem problem = identityProblem(module, {1, 2, 4});
  problem.input("value")->values = {3, 30, 8, 80, 100, 100, 100, 100};
  problem.parameter("bias_v")->values = {6, 60};
  const Results<float> results = resultsOf(module, problem);
  const double third = 1 / 3.0;
  expectNear(results.weights, {third, 0, 0, 0, third, third, 0.25, 0.25, 0, 0, 0.25, 0.25});
  expectNear(results.out, {3, 30, 4.25, 42.5});
}

// ---- Masks and layouts --------------------------------------------------------------------------

TEST(Traps, BoolAndFloatMasksMayBeMixed) {
  const std::string core = R"({"op":"attention","module":{"num_heads":2,"head_dim":4},
      "forward":{"need_weights":true,"attn_mask":")";
  const TestModule floats(core + R"(float_2d","key_padding_mask":"float"}})");
  for (const char *kinds :
       {R"(float_2d","key_padding_mask":"bool"}})", R"(bool_2d","key_padding_mask":"float"}})"}) {
    const TestModule mixed(core + kinds);
    Random random(4);
    const Problem problem = normalProblem(mixed.config(), {2, 9, 40}, random);
    const Results<double> exact = expectReference(mixed, problem);
    // True means what -inf means.
    Problem added = problem;
    added.config = floats.config();
    for (const char *name : {"attn_mask", "key_padding_mask"})
      if (HostTensor &mask = *added.input(name); mask.isBool()) {
        mask.dtype = ATTUNE_FLOAT32;
        for (float &value : mask.values)
          value = value != 0 ? -infinity : 0;
      }
    EXPECT_EQ(compare(resultsOf(floats, added), exact, reference<float>(problem)), "");
  }
}

TEST(Traps, BytesOtherThanZeroHideAsTrueDoes) {
  const TestModule module(R"({"op":"attention","module":{"num_heads":1,"head_dim":1},
      "forward":{"attn_mask":"bool_2d","key_padding_mask":"bool","need_weights":true}})");
  Problem problem = emptyProblem(module.config(), {1, 1, 6});
  for (const char *name : {"attn_mask", "key_padding_mask"})
    problem.input(name)->dtype = ATTUNE_UINT8;
  problem.input("attn_mask")->values = {0, 2, 0, 255, 128, 0};
  problem.input("key_padding_mask")->values = {0, 0, 4, 0, 0, 254};
  expectNear(resultsOf(module, problem).weights, {1, 0, 0, 0, 0, 0});
}

TEST(Traps, MasksOfOtherTypesAreRefused) {
  const TestModule module(R"({"op":"attention","module":{"num_heads":1,"head_dim":1},
      "forward":{"attn_mask":"float_2d","key_padding_mask":"bool"}})");
  Problem problem = emptyProblem(module.config(), {1, 2, 2});
  const attune::Context context(1);
  Random random;
  PlacedCall call = module.place(context, problem, Memory(), CallStyle{}, random);
  // query, key, value, attn_mask, key_padding_mask
  const std::pair<int, attune_dtype> wrong[] = {{3, ATTUNE_FLOAT64}, {3, ATTUNE_FLOAT16},
                                                {3, ATTUNE_BOOL},    {3, ATTUNE_INT32},
                                                {4, ATTUNE_INT32},   {4, ATTUNE_FLOAT32}};
  for (const auto &[tensor, dtype] : wrong) {
    const attune_tensor good = call.views()[tensor];
    call.views()[tensor].dtype = dtype;
    EXPECT_EQ(module.forward(context, call).status, ATTUNE_WRONG_DTYPE) << tensor << " " << dtype;
    call.views()[tensor] = good;
  }
  EXPECT_EQ(module.forward(context, call).status, ATTUNE_OK);
}

TEST(Traps, MaskPlaneIsBatchTimesHeadsPlusHead) {
  // Head h of batch element n sees the key 3 n + h alone.
  for (const char *kind : {"bool_3d", "float_3d"}) {
    const TestModule module(std::string(R"({"op":"attention","module":{"num_heads":3,"head_dim":1},
        "forward":{"need_weights":true,"average_attn_weights":false,"attn_mask":")") +
                            kind + "\"}}");
    Problem problem = emptyProblem(module.config(), {2, 1, 6});
    HostTensor &mask = *problem.input("attn_mask");
    std::vector<double> expected(36);
    for (int plane = 0; plane < 6; ++plane)
      for (int j = 0; j < 6; ++j) {
        mask.values[plane * 6 + j] = j == plane ? 0 : (mask.isBool() ? 1 : -infinity);
        expected[plane * 6 + j] = j == plane;
      }
    expectNear(resultsOf(module, problem).weights, expected);
  }
}

TEST(Traps, OneMaskPlaneForAllHeadsIsRefused) {
  const TestModule module(R"({"op":"attention","module":{"num_heads":2,"head_dim":1},
      "forward":{"attn_mask":"bool_3d"}})");
  Problem problem = emptyProblem(module.config(), {1, 2, 2});
  const attune::Context context(1);
  Random random;
  PlacedCall call = module.place(context, problem, Memory(), CallStyle{}, random);
  call.views()[3].sizes[0] = 1;
  EXPECT_EQ(module.forward(context, call).status, ATTUNE_WRONG_SIZE);
}

TEST(Traps, UnbatchedIgnoresBatchFirst) {
  const std::string head = R"({"module":{"embed_dim":12,"num_heads":3,"batch_first":)",
                    tail = R"(},"forward":{"batched":false,"attn_mask":"float_3d",
                               "key_padding_mask":"bool","average_attn_weights":false}})";
  const TestModule first(head + "true" + tail), second(head + "false" + tail);
  Random random(5);
  const Problem problem = normalProblem(first.config(), {1, 5, 20}, random);
  expectReference(first, problem);
  const Results<float> a = resultsOf(first, problem), b = resultsOf(second, problem);
  EXPECT_EQ(problem.outputs()[0].sizes, (std::vector<int64_t>{5, 12}));
  EXPECT_EQ(problem.outputs()[1].sizes, (std::vector<int64_t>{3, 5, 20}));
  EXPECT_TRUE(std::memcmp(a.out.data(), b.out.data(), a.out.size() * sizeof(float)) == 0);
}

TEST(Traps, EqualWidthsGivenExplicitlyStillUseThePackedWeight) {
  const std::string module = R"({"module":{"embed_dim":8,"num_heads":2)";
  const TestModule given(module + R"(,"kdim":8,"vdim":8}})"), missing(module + "}}");
  Random random(6);
  const Problem problem = normalProblem(missing.config(), {2, 3, 7}, random);
  EXPECT_EQ(interfaceParameters(given.config()).front().name, "in_proj_weight");
  EXPECT_EQ(resultsOf(given, problem).out, resultsOf(missing, problem).out);
  // One width is enough for separate weights.
  const TestModule separate(module + R"(,"vdim":5}})");
  std::vector<std::string> names;
  for (const InterfaceTensor &parameter : interfaceParameters(separate.config()))
    names.push_back(parameter.name);
  EXPECT_EQ(names, (std::vector<std::string>{"q_proj_weight", "k_proj_weight", "v_proj_weight",
                                             "in_proj_bias", "out_proj.weight", "out_proj.bias"}));
  expectReference(separate, normalProblem(separate.config(), {2, 3, 7}, random));
}
