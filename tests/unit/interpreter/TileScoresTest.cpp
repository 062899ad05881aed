//===- TileScoresTest.cpp - Scores of tiles and their softmax -------------===//
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

using TileScores = ModuleTest;

/// Logits of 2 of 3 queries against 5 of 8 keys in panels of 4, from (0, 1) of the target on. Keys
/// at or beyond %limit are hidden. Then their softmax over 8 columns, and weights.
constexpr const char *kWholeRows = R"(
func.func @f(%q: memref<3x1xf32>, %k: memref<2x1x4xf32>, %t: memref<3x10xf32>,
             %w: memref<2x5xf32>, %limit: index, %passes: index) {
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %2 = arith.constant 2 : index
  %5 = arith.constant 5 : index
  %8 = arith.constant 8 : index
  %qt = mha.load %q[%0, %0] : memref<3x1xf32> -> !mha.tile<3x1xf32>
  %kt = mha.load %k[%0, %0, %0] count %5 : memref<2x1x4xf32> -> !mha.tile<8x1xf32, panel>
  %acc, %stats = mha.start : !mha.tile<3x1xf32>, !mha.stats<3>
  %max = mha.logits %qt, %kt, %stats at (%0, %0, %0, %0) count (%2, %5) scale 2.0
    into %t[%0, %1] : !mha.tile<3x1xf32>, !mha.tile<8x1xf32, panel>, memref<3x10xf32>
    -> !mha.stats<3> keep {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %kept = arith.cmpi slt, %j, %limit : index
    mha.yield %kept : i1
  }
  %softmax = arith.cmpi eq, %passes, %2 : index
  scf.if %softmax {
    %sum = mha.softmax %t[%0, %1], %max count (%2, %8) : memref<3x10xf32>, !mha.stats<3>
    mha.emit_weights %t[%0, %1], %sum visited %5 into %w[%0, %0] count (%2, %5) factor 1.0
      : memref<3x10xf32>, !mha.stats<3>, memref<2x5xf32>
  }
  return
})";

class WholeRows : public ModuleTest {
protected:
  Array query = Array::of({3, 1}, {1, -1, 5}), key = Array::of({2, 1, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  Array t = Array::filled({3, 10}, 9), weights = Array::filled({2, 5}, 9);
};

TEST_F(WholeRows, LogitsFillWholePanels) {
  runTiles(kWholeRows, {query, key, t, weights, int64_t(4), int64_t(1)});
  const std::vector<double> found = elements(t);
  const double low = kMinusInfinity;
  EXPECT_EQ(std::vector<double>(found.begin(), found.begin() + 20),
            (std::vector<double>{9, 2,  4,  6,  8,  low, low, low, low, 9, //
                                 9, -2, -4, -6, -8, low, low, low, low, 9}));
  EXPECT_EQ(found[20], 9);
  for (int column = 1; column <= 8; ++column)
    EXPECT_TRUE(std::isnan(found[20 + column])) << "a row beyond the count is undefined";
  EXPECT_EQ(found[29], 9);
}

TEST_F(WholeRows, SoftmaxTakesTheMaximaOfTheLogits) {
  runTiles(kWholeRows, {query, key, t, weights, int64_t(4), int64_t(2)});
  const double sum = 1 + std::exp(-2) + std::exp(-4) + std::exp(-6);
  for (int j = 0; j < 4; ++j) {
    EXPECT_NEAR(*t.find({0, 1 + j}), std::exp(2 * j - 6), 1e-15);
    EXPECT_NEAR(*t.find({1, 1 + j}), std::exp(-2 * j), 1e-15);
    EXPECT_NEAR(*weights.find({0, j}), std::exp(2 * j - 6) / sum, 1e-15);
  }
  for (int column = 5; column < 9; ++column)
    EXPECT_EQ(*t.find({0, column}), 0);
  EXPECT_EQ(*t.find({0, 9}), 9);
}

TEST_F(WholeRows, NoVisibleKey) {
  runTiles(kWholeRows, {query, key, t, weights, int64_t(0), int64_t(2)});
  EXPECT_EQ(*t.find({0, 1}), 0);
  EXPECT_EQ(elements(weights), std::vector<double>(10, 0));
  runTiles(replaced(kWholeRows, "factor 1.0", "factor 1.0 {nan_masked_rows}"),
           {query, key, t, weights, int64_t(0), int64_t(2)});
  for (double weight : elements(weights))
    EXPECT_TRUE(std::isnan(weight));
}

TEST_F(WholeRows, NanSpreadsOverItsRow) {
  *query.find({1, 0}) = kNan;
  runTiles(kWholeRows, {query, key, t, weights, int64_t(4), int64_t(2)});
  EXPECT_FALSE(std::isnan(*weights.find({0, 0})));
  for (int j = 0; j < 5; ++j)
    EXPECT_TRUE(std::isnan(*weights.find({1, j})));
}

TEST_F(WholeRows, KeepShowsAColumnThatIsNotThere) {
  EXPECT_THAT(tileError(kWholeRows, {query, key, t, weights, int64_t(7), int64_t(1)}),
              AllOf(HasSubstr("mha.logits at loc"), HasSubstr("keeps column 5 of row 0")));
}

TEST_F(WholeRows, LogitsBeyondTheTarget) {
  EXPECT_THAT(tileError(replaced(kWholeRows, "into %t[%0, %1]", "into %t[%0, %5]"),
                        {query, key, t, weights, int64_t(4), int64_t(1)}),
              AllOf(HasSubstr("mha.logits at loc"), HasSubstr("out of range")));
}

TEST_F(WholeRows, LogitsInSinglePrecision) {
  *query.find({0, 0}) = 0.1;
  runTiles(kWholeRows, {query, key, t, weights, int64_t(4), int64_t(1)},
           {.rounding = mha::Rounding::Float32});
  EXPECT_EQ(*t.find({0, 3}), 0.1f * 3 * 2);
}

constexpr const char *kEmit = R"(
    mha.emit_weights %t[%0, %1], %sum visited %5 into %w[%0, %0] count (%2, %5) factor 1.0
      : memref<3x10xf32>, !mha.stats<3>, memref<2x5xf32>)";

TEST_F(WholeRows, WeightsAreStoredThenAdded) {
  // 2 of 4 columns from the second on, half each.
  const std::string text = replaced(kWholeRows, kEmit, R"(
    %4 = arith.constant 4 : index
    mha.emit_weights %t[%0, %2], %sum visited %2 into %w[%0, %1] count (%2, %4) factor 0.5
      : memref<3x10xf32>, !mha.stats<3>, memref<2x5xf32>
    mha.emit_weights %t[%0, %1], %sum visited %1 into %w[%0, %1] count (%1, %4) factor 0.5 {add}
      : memref<3x10xf32>, !mha.stats<3>, memref<2x5xf32>)");
  runTiles(text, {query, key, t, weights, int64_t(2), int64_t(2)});
  const double large = 1 / (1 + std::exp(-2)), small = 1 - large;
  const double expected[2][5] = {{9, 0.5 * large + 0.5 * small, 0, 0, 0},
                                 {9, 0.5 * small, 0, 0, 0}};
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 5; ++column)
      EXPECT_NEAR(*weights.find({row, column}), expected[row][column], 1e-15);
}

TEST_F(WholeRows, MoreColumnsVisitedThanThereAre) {
  EXPECT_THAT(
      tileError(replaced(kWholeRows, "visited %5", "visited %8"),
                {query, key, t, weights, int64_t(4), int64_t(2)}),
      AllOf(HasSubstr("mha.emit_weights at loc"), HasSubstr("visited is 8, not between 0 and 5")));
}

TEST_F(WholeRows, SoftmaxBeyondTheLogits) {
  EXPECT_THAT(tileError(replaced(kWholeRows, "mha.softmax %t[%0, %1]", "mha.softmax %t[%0, %5]"),
                        {query, key, t, weights, int64_t(4), int64_t(2)}),
              AllOf(HasSubstr("mha.softmax at loc"), HasSubstr("out of range")));
}

/// Attention of 2 queries to 4 keys of score 0, where a byte a key hides and a number a key is
/// added, the same for both.
constexpr const char *kOneRowTiles = R"(
func.func @f(%q: memref<2x1xf32>, %k: memref<1x1x4xf32>, %v: memref<4x1xf32>,
             %hidden: memref<2x4xi8>, %added: memref<2x4xf32>, %out: memref<2x1xf32>) {
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %2 = arith.constant 2 : index
  %4 = arith.constant 4 : index
  %qt = mha.load %q[%0, %0] : memref<2x1xf32> -> !mha.tile<2x1xf32>
  %kt = mha.load %k[%0, %0, %0] : memref<1x1x4xf32> -> !mha.tile<4x1xf32, panel>
  %ht = mha.load %hidden[%1, %0] : memref<2x4xi8> -> !mha.tile<1x4xi8>
  %at = mha.load %added[%1, %0] : memref<2x4xf32> -> !mha.tile<1x4xf32>
  %acc, %stats = mha.start : !mha.tile<2x1xf32>, !mha.stats<2>
  %p, %rescale, %next = mha.scores %qt, %kt, %stats at (%0, %0, %0, %0) count (%2, %4)
    tiles (%ht, %at : !mha.tile<1x4xi8>, !mha.tile<1x4xf32>) scale 1.0
    : !mha.tile<2x1xf32>, !mha.tile<4x1xf32, panel>
    -> !mha.tile<2x4xf32>, !mha.rows<2>, !mha.stats<2> score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %u: i8, %x: f32):
    %r = arith.addf %s, %x : f32
    mha.yield %r : f32
  } keep {
  ^bb0(%b: index, %h: index, %i: index, %j: index, %u: i8, %x: f32):
    %zero = arith.constant 0 : i8
    %r = arith.cmpi eq, %u, %zero : i8
    mha.yield %r : i1
  }
  %vt = mha.load %v[%0, %0] : memref<4x1xf32> -> !mha.tile<4x1xf32>
  %sum = mha.accumulate %acc rescale %rescale : !mha.rows<2>, %p, %vt
    : !mha.tile<2x1xf32>, !mha.tile<2x4xf32>, !mha.tile<4x1xf32>
  mha.finish %sum, %next into %out[%0, %0] count %2 : !mha.tile<2x1xf32>, !mha.stats<2>,
    memref<2x1xf32>
  return
})";

TEST_F(TileScores, TilesOfOneRowServeEveryQuery) {
  Array out = Array::filled({2, 1});
  runTiles(kOneRowTiles,
           {Array::of({2, 1}, {0, 0}), Array::of({1, 1, 4}, {1, 2, 3, 4}),
            Array::of({4, 1}, {1, 10, 100, 1000}), Array::of({2, 4}, {1, 1, 1, 1, 0, 7, 0, 1}),
            Array::of({2, 4}, {9, 9, 9, 9, 0, kNan, std::log(3.0), 0}), out});
  EXPECT_NEAR(*out.find({0, 0}), 0.25 * 1 + 0.75 * 100, 1e-12);
  EXPECT_NEAR(*out.find({1, 0}), 0.25 * 1 + 0.75 * 100, 1e-12);
}

TEST_F(TileScores, TileOperandOfFewerRowsThanQueries) {
  std::string text = kOneRowTiles;
  const std::pair<const char *, const char *> changes[] = {
      {"memref<2x1x", "memref<3x1x"}, {"tile<2x", "tile<3x"},   {"tile<1x4x", "tile<2x4x"},
      {"rows<2>", "rows<3>"},         {"stats<2>", "stats<3>"}, {"[%1, %0]", "[%0, %0]"}};
  for (auto [from, to] : changes)
    text = replaced(text, from, to);
  EXPECT_THAT(
      tileError(text, {Array::filled({3, 1}), Array::filled({1, 1, 4}), Array::filled({4, 1}),
                       Array::filled({2, 4}), Array::filled({2, 4}), Array::filled({3, 1})}),
      AllOf(HasSubstr("mha.scores at loc"), HasSubstr("smaller than its scores")));
}

TEST_F(TileScores, LengthsBelongToTheGraph) {
  EXPECT_THAT(tileError(R"(
  func.func @f(%q: memref<1x1xf32>, %k: memref<1x1x4xf32>, %z: index, %n: index) {
    %qt = mha.load %q[%z, %z] : memref<1x1xf32> -> !mha.tile<1x1xf32>
    %kt = mha.load %k[%z, %z, %z] : memref<1x1x4xf32> -> !mha.tile<4x1xf32, panel>
    %acc, %stats = mha.start : !mha.tile<1x1xf32>, !mha.stats<1>
    %p, %rescale, %next = mha.scores %qt, %kt, %stats at (%z, %z, %z, %z) count (%n, %n) scale 1.0
      : !mha.tile<1x1xf32>, !mha.tile<4x1xf32, panel>
      -> !mha.tile<1x4xf32>, !mha.rows<1>, !mha.stats<1> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %s = mha.size source
      %r = arith.cmpi slt, %j, %s : index
      mha.yield %r : i1
    }
    return
  })",
                        {Array::filled({1, 1}), Array::filled({1, 1, 4}), int64_t(0), int64_t(1)}),
              AllOf(HasSubstr("mha.size at loc"), HasSubstr("has no lengths")));
}

TEST_F(TileScores, AccumulateForAProjectionIsTheSame) {
  Array out = Array::filled({1, 1});
  runTiles(R"(func.func @f(%x: memref<1x2xf32>, %w: memref<1x2x1xf32>, %out: memref<1x1xf32>) {
    %0 = arith.constant 0 : index
    %1 = arith.constant 1 : index
    %a = mha.load %x[%0, %0] : memref<1x2xf32> -> !mha.tile<1x2xf32>
    %b = mha.load %w[%0, %0, %0] : memref<1x2x1xf32> -> !mha.tile<2x1xf32>
    %acc = mha.zero : !mha.tile<1x1xf32>
    %sum = mha.accumulate %acc, %a, %b {projection}
      : !mha.tile<1x1xf32>, !mha.tile<1x2xf32>, !mha.tile<2x1xf32>
    mha.emit %sum into %out[%0, %0] count (%1, %1) : !mha.tile<1x1xf32>, memref<1x1xf32>
    return
  })",
           {Array::of({1, 2}, {2, 3}), Array::of({1, 2, 1}, {5, 7}), out});
  EXPECT_EQ(*out.find({0, 0}), 31);
}

} // namespace
} // namespace attune::test
