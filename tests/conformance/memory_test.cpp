//===- memory_test.cpp - The guards around tensors themselves -------------===//
#include "TestModule.h"

#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
HostTensor sixNumbers() { return {"x", ATTUNE_FLOAT32, {2, 3}, {1, 2, 3, 4, 5, 6}}; }

float *dataOf(const PlacedTensor &tensor) { return static_cast<float *>(tensor.view().data); }
} // namespace

TEST(Guards, ContentsSurviveAnyLayout) {
  for (Placement placement : {Placement::Surrounded, Placement::AtEnd, Placement::AtStart})
    for (const std::vector<int64_t> &strides :
         {std::vector<int64_t>{3, 1}, std::vector<int64_t>{7, 1}, std::vector<int64_t>{1, 2}}) {
      const PlacedTensor tensor(sixNumbers(), strides, placement, inputFill);
      EXPECT_EQ(tensor.read(), sixNumbers().values);
      EXPECT_EQ(tensor.damage(), "");
      EXPECT_EQ(dataOf(tensor)[strides[0]], 4);
    }
}

TEST(Guards, RepeatedElementsReadBackAlike) {
  const PlacedTensor tensor(sixNumbers(), {0, 1}, Placement::AtEnd, inputFill);
  EXPECT_EQ(tensor.read(), (std::vector<float>{4, 5, 6, 4, 5, 6}));
}

TEST(Guards, WritesBesideElementsAreNoticed) {
  for (int at : {-1, 3, 4, 8}) { // row stride 5: 0 1 2 . . 5 6 7
    const PlacedTensor tensor(sixNumbers(), {5, 1}, Placement::Surrounded, outputFill);
    dataOf(tensor)[at] = 0;
    EXPECT_NE(tensor.damage(), "") << at;
  }
  for (int at : {0, 2, 5, 7}) {
    const PlacedTensor tensor(sixNumbers(), {5, 1}, Placement::Surrounded, outputFill);
    dataOf(tensor)[at] = 0;
    EXPECT_EQ(tensor.damage(), "") << at;
  }
}

TEST(Guards, SurroundingsAreNan) {
  const PlacedTensor tensor(sixNumbers(), {5, 1}, Placement::Surrounded, inputFill);
  for (int at : {-64, -1, 3, 4, 8, 64})
    EXPECT_NE(dataOf(tensor)[at], dataOf(tensor)[at]) << at;
}

TEST(GuardsDeathTest, AccessBeyondATensorEndsTheProcess) {
  const PlacedTensor last(sixNumbers(), {3, 1}, Placement::AtEnd, inputFill);
  const PlacedTensor first(sixNumbers(), {3, 1}, Placement::AtStart, inputFill);
  volatile float *pointer = dataOf(last);
  EXPECT_DEATH(std::printf("%g", double(pointer[6])), "");
  pointer = dataOf(first);
  EXPECT_DEATH(std::printf("%g", double(pointer[-1])), "");
}

TEST(GuardsDeathTest, InputsAreReadOnly) {
  const PlacedTensor tensor(sixNumbers(), {3, 1}, Placement::Surrounded, inputFill);
  tensor.freeze();
  volatile float *pointer = dataOf(tensor);
  EXPECT_EQ(pointer[0], 1);
  EXPECT_DEATH(pointer[0] = 2, "");
}
