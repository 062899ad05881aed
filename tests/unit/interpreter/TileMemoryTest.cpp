//===- TileMemoryTest.cpp - Packing, loading and looking at masks ---------===//
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

class TileMemory : public ModuleTest {
protected:
  /// The range that mha.key_range finds in `count` elements from (row, column) on, element 2 and 3
  /// of a row of 5 whose other elements stay.
  std::vector<double> keyRange(const std::string &type, Array padding, std::vector<int64_t> from,
                               int64_t count) {
    Array target = Array::filled({2, 5}, 9);
    runTiles("func.func @f(%p: memref<?x?x" + type + R"(>, %t: memref<2x5xi32>, %row: index,
        %column: index, %n: index) {
      %one = arith.constant 1 : index
      %two = arith.constant 2 : index
      mha.key_range %p[%row, %column] count %n into %t[%one, %two]
        : memref<?x?x)" +
                 type + R"(>, memref<2x5xi32>
      return
    })",
             {padding, target, from[0], from[1], count});
    std::vector<double> all = elements(target);
    EXPECT_EQ(std::vector<double>(all.begin(), all.begin() + 7), std::vector<double>(7, 9));
    EXPECT_EQ(all[9], 9);
    return {all[7], all[8]};
  }

  /// What mha.classify says of the `count` x `columns` leading elements of a 2x3 mask.
  std::vector<double> classify(std::vector<double> mask, int64_t count, int64_t columns) {
    Array out = Array::filled({2});
    runTiles(R"(func.func @f(%m: memref<2x3xi8>, %out: memref<2xi1>, %count: index,
        %columns: index) {
      %z = arith.constant 0 : index
      %one = arith.constant 1 : index
      %t = mha.load %m[%z, %z] count %count columns %columns : memref<2x3xi8> -> !mha.tile<2x3xi8>
      %some, %all = mha.classify %t : !mha.tile<2x3xi8>
      memref.store %some, %out[%z] : memref<2xi1>
      memref.store %all, %out[%one] : memref<2xi1>
      return
    })",
             {Array::of({2, 3}, std::move(mask)), out, count, columns});
    std::vector<double> found = elements(out);
    return {std::fabs(found[0]), std::fabs(found[1])};
  }
};

TEST_F(TileMemory, RowsThatWereNotLoadedAreUndefined) {
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

TEST_F(TileMemory, DepthBeyondTheColumnsReadIsUndefined) {
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

TEST_F(TileMemory, PackPadsWithZeros) {
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

TEST_F(TileMemory, PackMakesPaddedRowsZero) {
  const double nan = std::nan("");
  Array in = Array::of({4, 1}, {9, 2, nan, 4});
  Array bytes = Array::of({2, 4}, {1, 1, 1, 1, 1, 0, 255, 0});
  Array numbers = Array::of({3}, {kMinusInfinity, -3.4e38, nan});
  Array out = Array::filled({3, 2}, 9), other = Array::filled({3, 2}, 9);
  runTiles(R"(func.func @f(%in: memref<4x1xf32>, %b: memref<2x4xi8>, %n: memref<3xf32>,
      %out: memref<3x2xf32>, %other: memref<3x2xf32>) {
    %0 = arith.constant 0 : index
    %1 = arith.constant 1 : index
    %3 = arith.constant 3 : index
    mha.pack rows %in[%1, %0] count %3 into %out[%0, %0] padding %b[%1, %1] : memref<2x4xi8>
      : memref<4x1xf32>, memref<3x2xf32>
    mha.pack rows %in[%1, %0] count %3 into %other[%0, %0] padding %n[%0] : memref<3xf32>
      : memref<4x1xf32>, memref<3x2xf32>
    return
  })",
           {in, bytes, numbers, out, other});
  EXPECT_EQ(elements(out), (std::vector<double>{2, 0, 0, 0, 4, 0}));
  // Only -inf hides: the lowest finite number and NaN do not.
  EXPECT_EQ(*other.find({0, 0}), 0);
  EXPECT_TRUE(std::isnan(*other.find({1, 0})));
  EXPECT_EQ(*other.find({2, 0}), 4);
}

TEST_F(TileMemory, PanelsTakeNoPadding) {
  EXPECT_THAT(tileError(R"(func.func @f(%in: memref<2x2xf32>, %p: memref<2xi8>) {
    %0 = arith.constant 0 : index
    mha.pack panel %in[%0, %0] count %0 into %in[%0, %0] padding %p[%0] : memref<2xi8>
      : memref<2x2xf32>, memref<2x2xf32>
    return
  })",
                        {Array::filled({2, 2}), Array::filled({2})}),
              AllOf(HasSubstr("mha.pack at loc"), HasSubstr("takes padding for rows alone")));
}

TEST_F(TileMemory, PaddingShorterThanTheRows) {
  EXPECT_THAT(tileError(R"(func.func @f(%in: memref<2x2xf32>, %p: memref<2xi8>) {
    %0 = arith.constant 0 : index
    %1 = arith.constant 1 : index
    %2 = arith.constant 2 : index
    mha.pack rows %in[%0, %0] count %2 into %in[%0, %0] padding %p[%1] : memref<2xi8>
      : memref<2x2xf32>, memref<2x2xf32>
    return
  })",
                        {Array::filled({2, 2}), Array::filled({2})}),
              AllOf(HasSubstr("mha.pack at loc"), HasSubstr("accesses [1] + [2)")));
}

TEST_F(TileMemory, ClearFillsItsTargetAlone) {
  Array whole = Array::filled({8}, 7);
  runTiles(R"(func.func @f(%x: memref<8xf32>) {
    %part = memref.reinterpret_cast %x to offset: [1], sizes: [2, 1, 3], strides: [3, 99, 1]
      : memref<8xf32> to memref<2x1x3xf32, strided<[3, 99, 1], offset: 1>>
    mha.clear %part : memref<2x1x3xf32, strided<[3, 99, 1], offset: 1>>
    return
  })",
           {whole});
  EXPECT_EQ(elements(whole), (std::vector<double>{7, 0, 0, 0, 0, 0, 0, 7}));
}

TEST_F(TileMemory, ClearOfRowsThatAreApart) {
  EXPECT_THAT(tileError(R"(func.func @f(%x: memref<2x3xf32, strided<[4, 1]>>) {
    mha.clear %x : memref<2x3xf32, strided<[4, 1]>>
    return
  })",
                        {Array{{2, 3}, {4, 1}, 0, Array::filled({8}).storage}}),
              AllOf(HasSubstr("mha.clear at loc"), HasSubstr("needs a dense memref")));
}

TEST_F(TileMemory, KeyRangeOfABoolMask) {
  Array padding = Array::of({2, 6}, {0, 0, 0, 0, 0, 0, 1, 0, 255, 0, 1, 1});
  EXPECT_EQ(keyRange("i8", padding, {1, 0}, 6), (std::vector<double>{1, 4}));
  EXPECT_EQ(keyRange("i8", padding, {1, 2}, 3), (std::vector<double>{1, 2}));
  EXPECT_EQ(keyRange("i8", padding, {0, 0}, 5), (std::vector<double>{0, 5}));
  EXPECT_EQ(keyRange("i8", padding, {1, 4}, 2), (std::vector<double>{0, 0}));
  EXPECT_EQ(keyRange("i8", padding, {1, 0}, 0), (std::vector<double>{0, 0}));
  EXPECT_EQ(keyRange("i8", Array::filled({2, 0}), {1, 0}, 0), (std::vector<double>{0, 0}));
}

TEST_F(TileMemory, KeyRangeOfAFloatMask) {
  const double low = kMinusInfinity;
  Array padding = Array::of({1, 6}, {low, low, -3.4e38, low, std::nan(""), low});
  EXPECT_EQ(keyRange("f32", padding, {0, 0}, 6), (std::vector<double>{2, 5}));
  EXPECT_EQ(keyRange("f32", padding, {0, 0}, 2), (std::vector<double>{0, 0}));
}

TEST_F(TileMemory, KeyRangeBeyondTheMask) {
  EXPECT_THAT(tileError(R"(func.func @f(%p: memref<6xi8>, %t: memref<2xi32>, %n: index) {
    %0 = arith.constant 0 : index
    mha.key_range %p[%n] count %n into %t[%0] : memref<6xi8>, memref<2xi32>
    return
  })",
                        {Array::filled({6}), Array::filled({2}), int64_t(4)}),
              AllOf(HasSubstr("mha.key_range at loc"), HasSubstr("out of range")));
}

TEST_F(TileMemory, ClassifyLooksAtWhatWasLoaded) {
  EXPECT_EQ(classify({0, 0, 0, 0, 0, 0}, 2, 3), (std::vector<double>{1, 1}));
  EXPECT_EQ(classify({0, 1, 0, 0, 0, 0}, 2, 3), (std::vector<double>{1, 0}));
  EXPECT_EQ(classify({1, 2, 255, 3, 4, 5}, 2, 3), (std::vector<double>{0, 0}));
  EXPECT_EQ(classify({0, 0, 1, 1, 1, 1}, 1, 2), (std::vector<double>{1, 1}));
  EXPECT_EQ(classify({1, 1, 0, 0, 0, 0}, 1, 2), (std::vector<double>{0, 0}));
  EXPECT_EQ(classify({1, 1, 1, 1, 1, 1}, 2, 0), (std::vector<double>{0, 1}));
}

TEST_F(TileMemory, ClassifyOfNumbers) {
  EXPECT_THAT(tileError(R"(func.func @f(%m: memref<2x3xf32>, %z: index) {
    %t = mha.load %m[%z, %z] : memref<2x3xf32> -> !mha.tile<2x3xf32>
    %some, %all = mha.classify %t : !mha.tile<2x3xf32>
    return
  })",
                        {Array::filled({2, 3}), int64_t(0)}),
              AllOf(HasSubstr("mha.classify at loc"), HasSubstr("needs a tile of a bool mask")));
}

TEST_F(TileMemory, IntegersThatWereNeverStored) {
  const char *text = R"(func.func @f(%out: memref<1xi32>) {
    %0 = arith.constant 0 : index
    %fresh = memref.alloc() : memref<2xi32>
    %1 = memref.load %fresh[%0] : memref<2xi32>
    memref.store %1, %out[%0] : memref<1xi32>
    return
  })";
  EXPECT_THAT(tileError(text, {Array::filled({1})}),
              AllOf(HasSubstr("memref.load at loc"), HasSubstr("was never stored")));
}

} // namespace
} // namespace attune::test
