//===- GraphOpsTest.cpp - Operations on whole tensors ---------------------===//
#include "InterpreterTest.h"
#include <cmath>
#include <gmock/gmock.h>
#include <limits>

namespace attune::test {
namespace {
using mha::Array;
using testing::AllOf;
using testing::HasSubstr;

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

using GraphOps = ModuleTest;

//===--- Masks -------------------------------------------------------------===//

/// Attention with a float mask.
constexpr const char *kFloatMask = R"(
func.func @f(%q: tensor<1x1x?x1xf32>, %k: tensor<1x1x?x1xf32>, %m: tensor<?x?xf32>)
  -> tensor<1x1x?x1xf32> {
  %0 = mha.attention %q, %k, %k attn_mask(%m) scale 1.0
    : (tensor<1x1x?x1xf32>, tensor<1x1x?x1xf32>, tensor<1x1x?x1xf32>, tensor<?x?xf32>)
      -> tensor<1x1x?x1xf32>
  return %0 : tensor<1x1x?x1xf32>
})";

TEST_F(GraphOps, FiniteMinusInfinityAttendsUniformly) {
  for (double low : {-3.4e38, -1e9}) {
    auto results =
        runGraph(kFloatMask, {Array::filled({1, 1, 1, 1}, 0.5), Array::of({1, 1, 2, 1}, {1, 3}),
                              Array::filled({1, 2}, low)});
    ASSERT_EQ(results.size(), 1u);
    // -3.4e38 swallows the scores, -1e9 keeps their difference of 1 in float64.
    const double second = low < -1e30 ? 0.5 : 1 / (1 + std::exp(-1.0));
    EXPECT_NEAR(*results[0].find({0, 0, 0, 0}), 1 + 2 * second, 1e-6);
  }
}

TEST_F(GraphOps, MaskedNanDoesNotSpreadAndVisibleNanDoes) {
  auto results =
      runGraph(kFloatMask, {Array::filled({1, 1, 2, 1}, 0.5), Array::of({1, 1, 2, 1}, {1, kNan}),
                            Array::of({2, 2}, {0, 0, 0, 0})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_TRUE(std::isnan(*results[0].find({0, 0, 0, 0})));
  // A bool mask hides the key itself; adding -inf to NaN leaves NaN, as in PyTorch.
  results = runGraph(replaced(kFloatMask, "tensor<?x?xf32>", "tensor<?x?xi8>"),
                     {Array::filled({1, 1, 1, 1}, 0.5), Array::of({1, 1, 2, 1}, {1, kNan}),
                      Array::of({1, 2}, {0, 1})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(*results[0].find({0, 0, 0, 0}), 1);
  results = runGraph(kFloatMask, {Array::filled({1, 1, 1, 1}, 0.5), Array::of({1, 1, 2, 1}, {1, 2}),
                                  Array::of({1, 2}, {0, kMinusInfinity})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(*results[0].find({0, 0, 0, 0}), 1);
}

TEST_F(GraphOps, MaskOfEveryHead) {
  auto results =
      runGraph(R"(
  func.func @f(%q: tensor<2x2x1x1xf32>, %v: tensor<2x2x2x1xf32>, %m: tensor<4x1x2xi8>)
      -> tensor<2x2x1x1xf32> {
    %0 = mha.attention %q, %v, %v attn_mask(%m) scale 0.0
      : (tensor<2x2x1x1xf32>, tensor<2x2x2x1xf32>, tensor<2x2x2x1xf32>, tensor<4x1x2xi8>)
      -> tensor<2x2x1x1xf32>
    return %0 : tensor<2x2x1x1xf32>
  })",
               {Array::filled({2, 2, 1, 1}), Array::of({2, 2, 2, 1}, {1, 2, 3, 4, 5, 6, 7, 8}),
                Array::of({4, 1, 2}, {0, 1, 1, 0, 0, 0, 1, 1})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(elements(results[0]), (std::vector<double>{1, 4, 5.5, 0}));
}

/// Attention of N = 2 with padding, and its weights.
constexpr const char *kPadding = R"(
func.func @f(%q: tensor<2x1x1x1xf32>, %k: tensor<2x1x3x1xf32>, %p: tensor<2x3xf32>)
    -> (tensor<2x1x1x1xf32>, tensor<2x1x1x3xf32>) {
  %0, %1 = mha.attention %q, %k, %k key_padding_mask(%p) scale 1.0
    : (tensor<2x1x1x1xf32>, tensor<2x1x3x1xf32>, tensor<2x1x3x1xf32>, tensor<2x3xf32>)
    -> (tensor<2x1x1x1xf32>, tensor<2x1x1x3xf32>)
  return %0, %1 : tensor<2x1x1x1xf32>, tensor<2x1x1x3xf32>
})";

TEST_F(GraphOps, PaddedNanIsNotLookedAt) {
  const Array query = Array::filled({2, 1, 1, 1});
  const Array key = Array::of({2, 1, 3, 1}, {2, kNan, 4, kNan, 6, INFINITY});
  const double low = kMinusInfinity;
  auto results = runGraph(kPadding, {query, key, Array::of({2, 3}, {0, low, 0, low, 0, low})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(elements(results[0]), (std::vector<double>{3, 6}));
  EXPECT_EQ(elements(results[1]), (std::vector<double>{0.5, 0, 0.5, 0, 1, 0}));
  results = runGraph(replaced(kPadding, "tensor<2x3xf32>", "tensor<2x3xi8>"),
                     {query, key, Array::of({2, 3}, {0, 1, 0, 1, 0, 255})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(elements(results[0]), (std::vector<double>{3, 6}));
}

TEST_F(GraphOps, PaddingIsAddedAndVisibleNanSpreadsOverItsRow) {
  auto results = runGraph(kPadding, {Array::filled({2, 1, 1, 1}),
                                     Array::of({2, 1, 3, 1}, {0, 1, 0, 1, kNan, 1}),
                                     Array::of({2, 3}, {0, std::log(2.0), 0, 0, 0, 0})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_NEAR(*results[0].find({0, 0, 0, 0}), 0.5, 1e-15);
  EXPECT_TRUE(std::isnan(*results[0].find({1, 0, 0, 0})));
  for (int j = 0; j < 3; ++j) {
    EXPECT_NEAR(*results[1].find({0, 0, 0, j}), j == 1 ? 0.5 : 0.25, 1e-15);
    EXPECT_TRUE(std::isnan(*results[1].find({1, 0, 0, j})));
  }
}

TEST_F(GraphOps, PaddingOfAnotherSize) {
  EXPECT_THAT(
      graphError(replaced(kPadding, "tensor<2x3xf32>", "tensor<?x?xf32>"),
                 {Array::filled({2, 1, 1, 1}), Array::filled({2, 1, 3, 1}), Array::filled({1, 3})}),
      AllOf(HasSubstr("mha.attention at loc"),
            HasSubstr("has key_padding_mask of shape [1, 3], not [2, 3]")));
}

//===--- Regions -----------------------------------------------------------===//

TEST_F(GraphOps, RegionsMayUseEveryIndex) {
  // s = b + 10 h + 100 i: the same for all keys of a row, so values are averaged over j != i.
  auto results = runGraph(R"(
  func.func @f(%q: tensor<2x2x2x1xf32>, %v: tensor<2x2x3x1xf32>) -> tensor<2x2x2x1xf32> {
    %0 = mha.attend %q, %v, %v scale 1.0
      : (tensor<2x2x2x1xf32>, tensor<2x2x3x1xf32>, tensor<2x2x3x1xf32>)
        -> tensor<2x2x2x1xf32> score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %ten = arith.constant 10 : index
      %0 = arith.muli %i, %ten : index
      %1 = arith.addi %0, %h : index
      %2 = arith.muli %1, %ten : index
      %3 = arith.addi %2, %b : index
      %4 = arith.index_cast %3 : index to i32
      %5 = arith.sitofp %4 : i32 to f32
      mha.yield %5 : f32
    } keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %0 = arith.cmpi ne, %i, %j : index
      mha.yield %0 : i1
    }
    return %0 : tensor<2x2x2x1xf32>
  })",
                          {Array::filled({2, 2, 2, 1}, 1),
                           Array::of({2, 2, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(elements(results[0]), (std::vector<double>{2.5, 2, 5.5, 5, 8.5, 8, 11.5, 11}));
}

TEST_F(GraphOps, RegionsKnowTheLengths) {
  // Keys j + 1 < S are seen, with the score (j == L ? log 3 : 0): L = 1, S = 4 without the
  // appended.
  auto results = runGraph(R"(
  func.func @f(%q: tensor<1x1x1x1xf32>, %v: tensor<1x1x4x1xf32>, %a: tensor<1x1x1xf32>)
      -> tensor<1x1x1x1xf32> {
    %0 = mha.attend %q, %v, %v append(%a, %a) scale 0.0
      : (tensor<1x1x1x1xf32>, tensor<1x1x4x1xf32>, tensor<1x1x4x1xf32>, tensor<1x1x1xf32>,
         tensor<1x1x1xf32>) -> tensor<1x1x1x1xf32> score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %l = mha.size target
      %three = arith.constant 3.0 : f32
      %log = math.log %three : f32
      %at = arith.cmpi eq, %j, %l : index
      %r = arith.select %at, %log, %s : f32
      mha.yield %r : f32
    } keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %one = arith.constant 1 : index
      %next = arith.addi %j, %one : index
      %n = mha.size source
      %r = arith.cmpi slt, %next, %n : index
      mha.yield %r : i1
    }
    return %0 : tensor<1x1x1x1xf32>
  })",
                          {Array::filled({1, 1, 1, 1}), Array::of({1, 1, 4, 1}, {1, 2, 3, 4}),
                           Array::filled({1, 1, 1}, 8)});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_NEAR(*results[0].find({0, 0, 0, 0}), (1 + 3 * 2 + 3 + 8) / 6.0, 1e-12);
}

//===--- Weights and fully hidden rows -------------------------------------===//

/// Attention that hides key j from query i for j >= i, and its weights.
std::string strictlyCausal(const std::string &attributes, const std::string &batchType,
                           const std::string &weightsType) {
  const std::string q = "tensor<" + batchType + "x2x2x1xf32>";
  return "func.func @f(%q: " + q + ", %k: " + q + ") -> (" + q + ", " + weightsType + R"() {
    %0, %1 = mha.attend %q, %k, %k scale 1.0 )" +
         attributes + " : (" + q + ", " + q + ", " + q + ") -> (" + q + ", " + weightsType +
         R"() keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %0 = arith.cmpi slt, %j, %i : index
      mha.yield %0 : i1
    }
    return %0, %1 : )" +
         q + ", " + weightsType + " }";
}

TEST_F(GraphOps, WeightsOfEveryHeadAndAveraged) {
  const Array query = Array::filled({1, 2, 2, 1});
  const Array key = Array::of({1, 2, 2, 1}, {1, kNan, 3, 4});
  auto results = runGraph(strictlyCausal("", "1", "tensor<1x2x2x2xf32>"), {query, key});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(elements(results[0]), (std::vector<double>{0, 1, 0, 3}));
  EXPECT_EQ(results[1].shape, (std::vector<int64_t>{1, 2, 2, 2}));
  EXPECT_EQ(elements(results[1]), (std::vector<double>{0, 0, 1, 0, 0, 0, 1, 0}));
  results = runGraph(strictlyCausal("", "1", "tensor<2x2x2xf32>"), {query, key});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].shape, (std::vector<int64_t>{2, 2, 2}));
  results = runGraph(strictlyCausal("{average_weights}", "1", "tensor<1x2x2xf32>"), {query, key});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].shape, (std::vector<int64_t>{1, 2, 2}));
  EXPECT_EQ(elements(results[1]), (std::vector<double>{0, 0, 1, 0}));
  results = runGraph(strictlyCausal("{average_weights}", "1", "tensor<2x2xf32>"), {query, key});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].shape, (std::vector<int64_t>{2, 2}));
}

TEST_F(GraphOps, FullyHiddenRowsMayBeNan) {
  auto results = runGraph(strictlyCausal("{nan_masked_rows}", "1", "tensor<1x2x2x2xf32>"),
                          {Array::filled({1, 2, 2, 1}), Array::of({1, 2, 2, 1}, {1, 2, 3, 4})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(near(results[0], Array::of({1, 2, 2, 1}, {kNan, 1, kNan, 3}), 0));
  EXPECT_TRUE(near(results[1], Array::of({1, 2, 2, 2}, {kNan, kNan, 1, 0, kNan, kNan, 1, 0}), 0));
}

TEST_F(GraphOps, WeightsWithoutABatchThatIsThere) {
  EXPECT_THAT(graphError(strictlyCausal("", "?", "tensor<2x2x2xf32>"),
                         {Array::filled({3, 2, 2, 1}), Array::filled({3, 2, 2, 1})}),
              AllOf(HasSubstr("mha.attend at loc"), HasSubstr("has weights of rank 3")));
}

TEST_F(GraphOps, NoKeysAtAll) {
  const char *text = R"(
  func.func @f(%q: tensor<1x2x3x1xf32>, %k: tensor<1x2x0x1xf32>)
      -> (tensor<1x2x3x1xf32>, tensor<1x3x0xf32>) {
    %0, %1 = mha.attention %q, %k, %k scale 1.0 {average_weights}
      : (tensor<1x2x3x1xf32>, tensor<1x2x0x1xf32>, tensor<1x2x0x1xf32>)
      -> (tensor<1x2x3x1xf32>, tensor<1x3x0xf32>)
    return %0, %1 : tensor<1x2x3x1xf32>, tensor<1x3x0xf32>
  })";
  const std::vector<Array> arguments = {Array::filled({1, 2, 3, 1}, 1),
                                        Array::filled({1, 2, 0, 1})};
  auto results = runGraph(text, arguments);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(elements(results[0]), std::vector<double>(6, 0));
  EXPECT_EQ(results[1].shape, (std::vector<int64_t>{1, 3, 0}));
  results = runGraph(replaced(text, "{average_weights}", "{average_weights, nan_masked_rows}"),
                     arguments);
  ASSERT_EQ(results.size(), 2u);
  for (double value : elements(results[0]))
    EXPECT_TRUE(std::isnan(value));
}

TEST_F(GraphOps, NaiveSinglePrecisionWeights) {
  constexpr unsigned seed = 7;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  const std::string text = R"(
  func.func @f(%q: tensor<1x3x2x4xf32>, %k: tensor<1x3x5x4xf32>)
      -> (tensor<1x3x2x4xf32>, tensor<1x3x2x5xf32>) {
    %0, %1 = mha.attention %q, %k, %k scale 0.5
      : (tensor<1x3x2x4xf32>, tensor<1x3x5x4xf32>, tensor<1x3x5x4xf32>)
      -> (tensor<1x3x2x4xf32>, tensor<1x3x2x5xf32>)
    return %0, %1 : tensor<1x3x2x4xf32>, tensor<1x3x2x5xf32>
  })";
  const std::string averaged =
      replaced(replaced(text, "scale 0.5", "scale 0.5 {average_weights}"), "1x3x2x5", "1x2x5");
  const std::vector<Array> arguments = {randomArray({1, 3, 2, 4}, generator),
                                        randomArray({1, 3, 5, 4}, generator)};
  const mha::InterpreterOptions naive = {.rounding = mha::Rounding::Float32};
  auto exact = runGraph(text, arguments), rounded = runGraph(text, arguments, naive);
  auto mean = runGraph(averaged, arguments, naive);
  ASSERT_TRUE(exact.size() == 2 && rounded.size() == 2 && mean.size() == 2);
  EXPECT_TRUE(near(rounded[1], exact[1], 1e-6));
  EXPECT_FALSE(near(rounded[1], exact[1], 1e-12));
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 5; ++j) {
      float sum = 0;
      for (int64_t h = 0; h < 3; ++h)
        sum += static_cast<float>(*rounded[1].find({0, h, i, j}));
      EXPECT_EQ(*mean[1].find({0, i, j}), sum / 3);
    }
}

} // namespace
} // namespace attune::test
