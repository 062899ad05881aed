//===- ErrorsTest.cpp - What the interpreter refuses ----------------------===//
#include "InterpreterTest.h"
#include <gmock/gmock.h>

namespace attune::test {
namespace {
using mha::Array;
using testing::AllOf;
using testing::HasSubstr;

using Errors = ModuleTest;

TEST_F(Errors, UnsupportedOperation) {
  EXPECT_THAT(graphError(R"(func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
    %0 = arith.addf %x, %x : tensor<2xf32>
    return %0 : tensor<2xf32>
  })",
                         {Array::filled({2})}),
              AllOf(HasSubstr("arith.addf at loc(\"test.mlir\":2:"),
                    HasSubstr("is not supported by the interpreter")));
}

TEST_F(Errors, UnsupportedOperationInARegion) {
  EXPECT_THAT(graphError(R"(
  func.func @f(%q: tensor<1x1x2x3xf32>) -> tensor<1x1x2x3xf32> {
    %0 = mha.attend %q, %q, %q scale 1.0
      : (tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>)
        -> tensor<1x1x2x3xf32> score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %0 = math.cbrt %s : f32
      mha.yield %0 : f32
    }
    return %0 : tensor<1x1x2x3xf32>
  })",
                         {Array::filled({1, 1, 2, 3})}),
              AllOf(HasSubstr("math.cbrt at loc"),
                    HasSubstr("is not supported in a score or keep region")));
}

TEST_F(Errors, ElementOutOfRange) {
  EXPECT_THAT(graphError(R"(
  func.func @f(%q: tensor<1x1x2x3xf32>, %m: tensor<?x?xf32>) -> tensor<1x1x2x3xf32> {
    %0 = mha.attend %q, %q, %q scale 1.0
      : (tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>)
        -> tensor<1x1x2x3xf32> score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %0 = mha.element %m[%i, %j] : tensor<?x?xf32> -> f32
      mha.yield %0 : f32
    }
    return %0 : tensor<1x1x2x3xf32>
  })",
                         {Array::filled({1, 1, 2, 3}), Array::filled({2, 1})}),
              AllOf(HasSubstr("mha.element at loc"),
                    HasSubstr("accesses [0, 1] of an array of shape [2, 1]: out of range")));
}

TEST_F(Errors, MaskOfAnotherSize) {
  const char *text = R"(
  func.func @f(%q: tensor<1x1x2x3xf32>, %m: tensor<?x?xi8>) -> tensor<1x1x2x3xf32> {
    %0 = mha.attention %q, %q, %q attn_mask(%m) scale 1.0
      : (tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>, tensor<?x?xi8>)
      -> tensor<1x1x2x3xf32>
    return %0 : tensor<1x1x2x3xf32>
  })";
  const Array query = Array::filled({1, 1, 2, 3});
  EXPECT_EQ(graphError(text, {query, Array::filled({2, 2})}), "");
  EXPECT_THAT(graphError(text, {query, Array::filled({2, 3})}),
              AllOf(HasSubstr("mha.attention at loc"),
                    HasSubstr("has attn_mask of shape [2, 3], not [2, 2]")));
  EXPECT_THAT(graphError(text, {query, Array::filled({1, 2})}), HasSubstr("of shape [1, 2]"));
}

TEST_F(Errors, DivisionByZero) {
  EXPECT_THAT(tileError(R"(func.func @f(%n: index) {
    %0 = arith.divsi %n, %n : index
    return
  })",
                        {int64_t(0)}),
              AllOf(HasSubstr("arith.divsi at loc"), HasSubstr("divides by zero")));
}

TEST_F(Errors, LoadBeyondTheMemref) {
  EXPECT_THAT(tileError(R"(func.func @f(%x: memref<?x8xf32>, %n: index) {
    %0 = mha.load %x[%n, %n] count %n : memref<?x8xf32> -> !mha.tile<6x8xf32>
    return
  })",
                        {Array::filled({5, 8}), int64_t(1)}),
              AllOf(HasSubstr("mha.load at loc"), HasSubstr("out of range")));
}

TEST_F(Errors, CountBeyondTheTile) {
  EXPECT_THAT(tileError(R"(func.func @f(%x: memref<?x8xf32>, %z: index, %n: index) {
    %0 = mha.load %x[%z, %z] count %n : memref<?x8xf32> -> !mha.tile<6x8xf32>
    return
  })",
                        {Array::filled({9, 8}), int64_t(0), int64_t(7)}),
              AllOf(HasSubstr("mha.load at loc"), HasSubstr("count is 7, not between 0 and 6")));
}

TEST_F(Errors, ViewBeyondItsBuffer) {
  EXPECT_THAT(
      tileError(R"(func.func @f(%x: memref<8xf32>, %n: index) {
    %0 = memref.reinterpret_cast %x to offset: [2], sizes: [%n], strides: [1]
      : memref<8xf32> to memref<?xf32, strided<[1], offset: 2>>
    return
  })",
                {Array::filled({8}), int64_t(7)}),
      AllOf(HasSubstr("memref.reinterpret_cast at loc"), HasSubstr("does not lie in its buffer")));
}

TEST_F(Errors, StoreBeyondTheMemref) {
  EXPECT_THAT(tileError(R"(func.func @f(%x: memref<?xf32>, %n: index) {
    %0 = arith.constant 1.0 : f32
    memref.store %0, %x[%n] : memref<?xf32>
    return
  })",
                        {Array::filled({3}), int64_t(3)}),
              AllOf(HasSubstr("memref.store at loc"), HasSubstr("accesses [3]")));
}

TEST_F(Errors, KeepShowsAColumnThatIsNotThere) {
  const char *text = R"(
  func.func @f(%q: memref<2x4xf32>, %k: memref<2x4x8xf32>, %n: index) {
    %z = arith.constant 0 : index
    %two = arith.constant 2 : index
    %qt = mha.load %q[%z, %z] : memref<2x4xf32> -> !mha.tile<2x4xf32>
    %kt = mha.load %k[%z, %z, %z] count %n : memref<2x4x8xf32> -> !mha.tile<16x4xf32, panel>
    %acc, %stats = mha.start : !mha.tile<2x8xf32>, !mha.stats<2>
    %p, %r, %s = mha.scores %qt, %kt, %stats at (%z, %z, %z, %z) count (%two, %n) scale 1.0
      : !mha.tile<2x4xf32>, !mha.tile<16x4xf32, panel>
      -> !mha.tile<2x16xf32>, !mha.rows<2>, !mha.stats<2>
    return
  })";
  const std::vector<std::variant<Array, int64_t>> whole = {Array::filled({2, 4}),
                                                           Array::filled({2, 4, 8}), int64_t(8)};
  EXPECT_EQ(tileError(text, whole), "");
  auto part = whole;
  part[2] = int64_t(5);
  EXPECT_THAT(tileError(text, part),
              AllOf(HasSubstr("mha.scores at loc"), HasSubstr("keeps column 5 of row 0")));
}

TEST_F(Errors, Arguments) {
  const char *text = "func.func @f(%x: memref<4x8xf32>, %n: index) { return }";
  const Array good = Array::filled({4, 8});
  EXPECT_EQ(tileError(text, {good, int64_t(1)}), "");
  EXPECT_THAT(tileError(text, {good}), HasSubstr("takes 2 arguments, 1 given"));
  EXPECT_THAT(tileError(text, {int64_t(1), int64_t(1)}), HasSubstr("argument 0 is no index"));
  EXPECT_THAT(tileError(text, {good, good}), HasSubstr("argument 1 is no ranked"));
  EXPECT_THAT(tileError(text, {Array::filled({4, 9}), int64_t(1)}),
              HasSubstr("argument 0 has a size of 9, not 8"));
  EXPECT_THAT(tileError(text, {Array::filled({8}), int64_t(1)}),
              HasSubstr("argument 0 has rank 1, not 2"));
  Array strided = Array::filled({8, 8});
  strided.shape = {4, 8};
  strided.strides = {16, 1};
  EXPECT_THAT(tileError(text, {strided, int64_t(1)}), HasSubstr("has a stride of 16, not 8"));
  Array outside = good;
  outside.offset = 1;
  EXPECT_THAT(tileError(text, {outside, int64_t(1)}), HasSubstr("does not lie in its storage"));
}

TEST_F(Errors, NoBody) {
  EXPECT_THAT(tileError("func.func private @f()", {}), HasSubstr("func.func at loc"));
}

} // namespace
} // namespace attune::test
