#include "module_fixture.h"

#include <cstring>

using namespace attune_test;

using Sizes = ModuleTest;

TEST_F(Sizes, WrongDtype) {
  Call.Tensors[Query].dtype = ATTUNE_FLOAT64;
  expectRefused(ATTUNE_WRONG_DTYPE, "attention_forward: query: dtype is float64, expected float32");
  Call.Tensors[Query].dtype = ATTUNE_FLOAT32;
  Call.Tensors[Mask].dtype = ATTUNE_INT64;
  expectRefused(ATTUNE_WRONG_DTYPE,
                "attention_forward: mask: dtype is int64, expected float32 or bool");
  for (int Unknown : {10, 32, 64, -1}) {
    std::memcpy(&Call.Tensors[Mask].dtype, &Unknown, sizeof(Unknown));
    expectRefused(ATTUNE_WRONG_DTYPE, "attention_forward: mask: dtype is unknown (" +
                                          std::to_string(static_cast<unsigned>(Unknown)) +
                                          "), expected float32 or bool");
  }
}

TEST_F(Sizes, WrongRank) {
  for (int32_t Rank : {-1, 0, 2, 4, 7, INT32_MAX}) {
    Call.Tensors[Key].rank = Rank;
    expectRefused(ATTUNE_WRONG_RANK,
                  "attention_forward: key: rank is " + std::to_string(Rank) + ", expected 3");
  }
}

TEST_F(Sizes, WrongSizes) {
  attune_tensor Good = Call.Tensors[Value];
  Call.Tensors[Value].sizes[1] = 7;
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: value: size of dimension 1 is 7, expected 5 "
                                   "(source length, from key)");
  Call.Tensors[Value] = Good;
  Call.Tensors[Value].sizes[0] = 1;
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: value: size of dimension 0 is 1, expected 2 "
                                   "(batch size, from query)");
  Call.Tensors[Value] = Good;
  Call.Tensors[Value].sizes[2] = 9;
  expectRefused(ATTUNE_WRONG_SIZE,
                "attention_forward: value: size of dimension 2 is 9, expected 8");
  Call.Tensors[Value] = Good;
  Call.Tensors[Value].sizes[1] = -5;
  expectRefused(ATTUNE_WRONG_SIZE,
                "attention_forward: value: size of dimension 1 is -5, expected 0 or more");
  Call.Tensors[Value] = Good;
  Call.Tensors[Output].sizes[1] = 4;
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: output: size of dimension 1 is 4, expected "
                                   "3 (target length, from query)");
}

TEST_F(Sizes, SizesWithAFactor) {
  Call.Tensors[Bias].sizes[0] = 3;
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: bias: size of dimension 0 is 3, expected 4 "
                                   "(2 x batch size 2, from query)");
  Specs[Query].sizes[0].factor = 2;
  Call.Tensors[Query].sizes[0] = 3;
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: query: size of dimension 0 is 3, expected a "
                                   "multiple of 2 (2 x batch size)");
  // A factor times this batch size does not fit 64 bits.
  Specs[Query].sizes[0].factor = 1;
  Specs[Query].sizes[1] = Specs[Query].sizes[2] = {ATTUNE_SIZE_FIXED, 0, 0, 0};
  Call.Tensors[Query].sizes[0] = int64_t{1} << 30;
  Call.Tensors[Query].sizes[1] = Call.Tensors[Query].sizes[2] = 0;
  Specs[Key].sizes[0].factor = int64_t{1} << 40;
  EXPECT_EQ(forward(), ATTUNE_WRONG_SIZE);
  EXPECT_NE(std::string(attune_last_error()).find("which is too large"), std::string::npos)
      << attune_last_error();
}

TEST_F(Sizes, SizesWithAnAddend) {
  for (int64_t Wrong : {0, 5, 7}) {
    Call.Tensors[Weights].sizes[2] = Wrong;
    expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: weights: size of dimension 2 is " +
                                         std::to_string(Wrong) +
                                         ", expected 6 (source length 5 + 1, from key)");
  }
  Specs[Weights].sizes[2].factor = 3;
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: weights: size of dimension 2 is 7, expected "
                                   "16 (3 x source length 5 + 1, from key)");
  Specs[Weights].sizes[2].addend = INT64_MAX;
  expectRefused(ATTUNE_WRONG_SIZE,
                "attention_forward: weights: size of dimension 2 is 7, expected 3 x source length "
                "5 + 9223372036854775807 (from key), which is too large");
}

TEST_F(Sizes, BindingSolvesForTheSymbol) {
  Specs[Query].sizes[1] = {ATTUNE_SIZE_TARGET, 0, 2, 1};
  ASSERT_NE(forward(), ATTUNE_OK); // 3 = 2 x 1 + 1: the target length is 1.
  EXPECT_STREQ(attune_last_error(), "attention_forward: mask: size of dimension 0 is 3, expected 1 "
                                    "(target length, from query)");
  Call.Tensors[Query].sizes[1] = 4;
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: query: size of dimension 1 is 4, expected a "
                                   "multiple of 2 plus 1 (2 x target length + 1)");
  Call.Tensors[Query].sizes[1] = 0;
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: query: size of dimension 1 is 0, expected 1 "
                                   "or more (2 x target length + 1)");
  Call.Tensors[Query].sizes[1] = INT64_MAX;
  expectRefused(ATTUNE_WRONG_SIZE,
                "attention_forward: query: size of dimension 1 is 9223372036854775807, expected at "
                "most 4294967295 (2 x target length + 1)");
}

TEST_F(Sizes, ProductsThatOverflow) {
  const std::string Product =
      "attention_forward: query: the product of its sizes is too large, expected fewer than 2^63 "
      "bytes";
  Call.Tensors[Query].sizes[0] = INT32_MAX;
  Call.Tensors[Query].sizes[1] = INT32_MAX;
  expectRefused(ATTUNE_WRONG_SIZE, Product);
}

TEST_F(Sizes, SizesBeyond32Bits) {
  Call.Tensors[Query].sizes[0] = int64_t{1} << 31;
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: query: size of dimension 0 is 2147483648, "
                                   "expected at most 2147483647 (batch size)");
  // Empty, but its other sizes would reach the module's arithmetic.
  Call.Tensors[Query].sizes[0] = 0;
  Call.Tensors[Query].sizes[1] = INT64_MAX;
  expectRefused(ATTUNE_WRONG_SIZE,
                "attention_forward: query: size of dimension 1 is 9223372036854775807, expected at "
                "most 2147483647 (target length)");
}
