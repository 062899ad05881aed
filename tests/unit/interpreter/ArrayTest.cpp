//===- ArrayTest.cpp - Strided views --------------------------------------===//
#include "InterpreterTest.h"

namespace attune::test {
namespace {
using mha::Array;

TEST(Array, DenseIsRowMajor) {
  Array array = Array::of({2, 3}, {0, 1, 2, 3, 4, 5});
  EXPECT_EQ(array.strides, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(*array.find({1, 2}), 5);
  EXPECT_EQ(array.elements(), 6);
}

TEST(Array, FindChecksShapeAndStorage) {
  Array array = Array::filled({2, 3}, 7);
  EXPECT_EQ(array.find({2, 0}), nullptr);
  EXPECT_EQ(array.find({0, -1}), nullptr);
  EXPECT_EQ(array.find({0}), nullptr);
  array.offset = 3;
  EXPECT_EQ(array.find({1, 0}), nullptr);
  EXPECT_FALSE(array.fits());
  EXPECT_EQ(Array().find({}), nullptr);
}

TEST(Array, DenseCopiesAStridedView) {
  Array whole = Array::of({2, 3}, {0, 1, 2, 3, 4, 5});
  Array transposed{{3, 2}, {1, 3}, 0, whole.storage};
  ASSERT_TRUE(transposed.fits());
  EXPECT_EQ(elements(transposed), (std::vector<double>{0, 3, 1, 4, 2, 5}));
  Array reversed{{6}, {-1}, 5, whole.storage};
  ASSERT_TRUE(reversed.fits());
  EXPECT_EQ(elements(reversed), (std::vector<double>{5, 4, 3, 2, 1, 0}));
  Array copy = reversed.dense();
  *copy.find({0}) = 9;
  EXPECT_EQ(*reversed.find({0}), 5);
}

TEST(Array, EmptyFitsAnywhere) {
  Array empty = Array::filled({2, 0, 4});
  EXPECT_TRUE(empty.fits());
  EXPECT_EQ(empty.elements(), 0);
  EXPECT_TRUE(elements(empty).empty());
}

} // namespace
} // namespace attune::test
