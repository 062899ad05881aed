//===- TileOpsTest.cpp - Undefined values and softmax corners -------------===//
#include "InterpreterTest.h"
#include <cmath>
#include <limits>

namespace attune::test {
namespace {
using mha::Array;

using TileOps = ModuleTest;

TEST_F(TileOps, RowsThatWereNotLoadedAreUndefined) {
  Array x = Array::filled({4, 3}, 1), w = Array::filled({1, 3, 2}, 1), out = Array::filled({4, 2});
  runTiles(R"(func.func @f(%x: memref<4x3xf32>, %w: memref<1x3x2xf32>, %out: memref<4x2xf32>) {
    %zero = arith.constant 0 : index
    %two = arith.constant 2 : index
    %three = arith.constant 3 : index
    %four = arith.constant 4 : index
    %a = mha.load %x[%zero, %zero] count %two : memref<4x3xf32> -> !mha.tile<4x3xf32>
    %b = mha.load %w[%zero, %zero, %zero] count %three : memref<1x3x2xf32> -> !mha.tile<3x2xf32>
    %acc = mha.zero : !mha.tile<4x2xf32>
    %sum = mha.accumulate %acc, %a, %b : !mha.tile<4x2xf32>, !mha.tile<4x3xf32>, !mha.tile<3x2xf32>
    mha.emit %sum into %out[%zero, %zero] count (%four, %two) : !mha.tile<4x2xf32>, memref<4x2xf32>
    return
  })",
           {x, w, out});
  EXPECT_EQ(*out.find({1, 1}), 3);
  EXPECT_TRUE(std::isnan(*out.find({2, 0})));
}

TEST_F(TileOps, DepthBeyondTheColumnsReadIsUndefined) {
  Array x = Array::filled({1, 3}, 1), w = Array::filled({1, 3, 2}, 1), out = Array::filled({1, 2});
  runTiles(R"(func.func @f(%x: memref<1x3xf32>, %w: memref<1x3x2xf32>, %out: memref<1x2xf32>) {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %two = arith.constant 2 : index
    %a = mha.load %x[%zero, %zero] columns %two : memref<1x3xf32> -> !mha.tile<1x3xf32>
    %b = mha.load %w[%zero, %zero, %zero] : memref<1x3x2xf32> -> !mha.tile<3x2xf32>
    %acc = mha.zero : !mha.tile<1x2xf32>
    %sum = mha.accumulate %acc, %a, %b : !mha.tile<1x2xf32>, !mha.tile<1x3xf32>, !mha.tile<3x2xf32>
    mha.emit %sum into %out[%zero, %zero] count (%one, %two) : !mha.tile<1x2xf32>, memref<1x2xf32>
    return
  })",
           {x, w, out});
  EXPECT_TRUE(std::isnan(*out.find({0, 0})));
}

TEST_F(TileOps, PackPadsWithZeros) {
  Array in = Array::of({2, 2}, {1, 2, 3, 4});
  Array panel = Array::filled({2, 3}, 9), rows = Array::filled({3, 3}, 9);
  runTiles(R"(func.func @f(%in: memref<2x2xf32>, %panel: memref<2x3xf32>, %rows: memref<3x3xf32>) {
    %zero = arith.constant 0 : index
    %two = arith.constant 2 : index
    mha.pack panel %in[%zero, %zero] count %two into %panel[%zero, %zero]
      : memref<2x2xf32>, memref<2x3xf32>
    mha.pack rows %in[%zero, %zero] count %two into %rows[%zero, %zero]
      : memref<2x2xf32>, memref<3x3xf32>
    return
  })",
           {in, panel, rows});
  EXPECT_EQ(elements(panel), (std::vector<double>{1, 3, 0, 2, 4, 0}));
  EXPECT_EQ(elements(rows), (std::vector<double>{1, 2, 0, 3, 4, 0, 9, 9, 9}));
}

/// Attention with a float mask as a graph.
constexpr const char *kFloatMask = R"(
func.func @f(%q: tensor<1x1x?x1xf32>, %k: tensor<1x1x?x1xf32>, %m: tensor<?x?xf32>)
  -> tensor<1x1x?x1xf32> {
  %0 = mha.attention %q, %k, %k attn_mask(%m) scale 1.0
    : (tensor<1x1x?x1xf32>, tensor<1x1x?x1xf32>, tensor<1x1x?x1xf32>, tensor<?x?xf32>)
      -> tensor<1x1x?x1xf32>
  return %0 : tensor<1x1x?x1xf32>
})";

TEST_F(TileOps, FiniteMinusInfinityAttendsUniformly) {
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

TEST_F(TileOps, MaskedNanDoesNotSpreadAndVisibleNanDoes) {
  const double nan = std::nan(""), hidden = -std::numeric_limits<double>::infinity();
  auto results =
      runGraph(kFloatMask, {Array::filled({1, 1, 2, 1}, 0.5), Array::of({1, 1, 2, 1}, {1, nan}),
                            Array::of({2, 2}, {0, 0, 0, 0})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_TRUE(std::isnan(*results[0].find({0, 0, 0, 0})));
  // A bool mask hides the key itself; adding -inf to NaN leaves NaN, as in PyTorch.
  std::string text = kFloatMask;
  for (size_t at; (at = text.find("tensor<?x?xf32>")) != std::string::npos;)
    text.replace(at, 15, "tensor<?x?xi8>");
  results = runGraph(text, {Array::filled({1, 1, 1, 1}, 0.5), Array::of({1, 1, 2, 1}, {1, nan}),
                            Array::of({1, 2}, {0, 1})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(*results[0].find({0, 0, 0, 0}), 1);
  results = runGraph(kFloatMask, {Array::filled({1, 1, 1, 1}, 0.5), Array::of({1, 1, 2, 1}, {1, 2}),
                                  Array::of({1, 2}, {0, hidden})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(*results[0].find({0, 0, 0, 0}), 1);
}

TEST_F(TileOps, MaskOfEveryHead) {
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

TEST_F(TileOps, RegionsMayUseEveryIndex) {
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

} // namespace
} // namespace attune::test
