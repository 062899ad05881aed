//===- GraphParametersTest.cpp - Appended keys and projections ------------===//
#include "InterpreterTest.h"
#include <cmath>
#include <gmock/gmock.h>

namespace attune::test {
namespace {
using mha::Array;
using testing::AllOf;
using testing::HasSubstr;

using GraphParameters = ModuleTest;

//===--- Appended keys -----------------------------------------------------===//

TEST_F(GraphParameters, AppendedIsTheBiasThenZeros) {
  auto results = runGraph(R"(func.func @f(%b: tensor<1x1x4xf32>)
      -> (tensor<2x2x2xf32>, tensor<2x1x2xf32>) {
    %0 = mha.appended %b : tensor<1x1x4xf32> -> tensor<2x2x2xf32>
    %1 = mha.appended -> tensor<2x1x2xf32>
    return %0, %1 : tensor<2x2x2xf32>, tensor<2x1x2xf32>
  })",
                          {Array::of({1, 1, 4}, {1, 2, 3, 4})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(elements(results[0]), (std::vector<double>{1, 2, 0, 0, 3, 4, 0, 0}));
  EXPECT_EQ(elements(results[1]), std::vector<double>(4, 0));
}

TEST_F(GraphParameters, AppendedBiasOfAnotherSize) {
  EXPECT_THAT(
      graphError(R"(func.func @f(%b: tensor<1x1x4xf32>) -> tensor<2x1x3xf32> {
    %0 = mha.appended %b : tensor<1x1x4xf32> -> tensor<2x1x3xf32>
    return %0 : tensor<2x1x3xf32>
  })",
                 {Array::filled({1, 1, 4})}),
      AllOf(HasSubstr("mha.appended at loc"), HasSubstr("must append a bias (1, 1, H * D)")));
}

constexpr const char *kPackAppended = R"(func.func @f(%x: tensor<2x2x1xf32>)
      -> (tensor<2x1x1x3xf32>, tensor<2x2x2xf32>) {
  %0 = mha.pack_appended panel %x : tensor<2x2x1xf32> -> tensor<2x1x1x3xf32>
  %1 = mha.pack_appended rows %x : tensor<2x2x1xf32> -> tensor<2x2x2xf32>
  return %0, %1 : tensor<2x1x1x3xf32>, tensor<2x2x2xf32>
})";

TEST_F(GraphParameters, PackAppendedPadsWithZeros) {
  auto results = runGraph(kPackAppended, {Array::of({2, 2, 1}, {1, 2, 3, 4})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(elements(results[0]), (std::vector<double>{1, 2, 0, 3, 4, 0}));
  EXPECT_EQ(elements(results[1]), (std::vector<double>{1, 0, 2, 0, 3, 0, 4, 0}));
}

TEST_F(GraphParameters, PackAppendedIntoAPanelThatIsTooNarrow) {
  EXPECT_THAT(graphError(replaced(kPackAppended, "2x1x1x3", "2x1x1x1"), {Array::filled({2, 2, 1})}),
              AllOf(HasSubstr("mha.pack_appended at loc"), HasSubstr("panels (H, 1, D, width)")));
}

/// Two heads, one given key of value 1 that nobody sees, appended keys with values 3 and 5.
constexpr const char *kAppended = R"(
func.func @f(%q: tensor<1x2x1x1xf32>, %k: tensor<1x2x1x1xf32>, %a: tensor<2x2x1xf32>)
    -> (tensor<1x2x1x1xf32>, tensor<1x2x1x3xf32>) {
  %0, %1 = mha.attend %q, %k, %k append(%a, %a) scale 1.0
    : (tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>, tensor<2x2x1xf32>,
       tensor<2x2x1xf32>) -> (tensor<1x2x1x1xf32>, tensor<1x2x1x3xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %0 = arith.addf %s, %s : f32
    mha.yield %0 : f32
  } keep {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %0 = arith.constant false
    mha.yield %0 : i1
  }
  return %0, %1 : tensor<1x2x1x1xf32>, tensor<1x2x1x3xf32>
})";

TEST_F(GraphParameters, AppendedKeysBypassTheRegions) {
  const std::vector<Array> arguments = {Array::of({1, 2, 1, 1}, {0, 0.5}),
                                        Array::filled({1, 2, 1, 1}, 1),
                                        Array::of({2, 2, 1}, {3, 5, 3, 5})};
  auto results = runGraph(kAppended, arguments);
  ASSERT_EQ(results.size(), 2u);
  const double second = 1 / (1 + std::exp(-1.0)); // scores 1.5 and 2.5
  EXPECT_TRUE(near(results[0], Array::of({1, 2, 1, 1}, {4, 3 + 2 * second}), 1e-12));
  EXPECT_TRUE(
      near(results[1], Array::of({1, 2, 1, 3}, {0, 0.5, 0.5, 0, 1 - second, second}), 1e-12));
  // The layout of mha.pack_appended means the same.
  std::string packed = replaced(kAppended, "append(%a, %a)", "append(%keys, %values)");
  packed = replaced(packed, "tensor<2x2x1xf32>,\n       tensor<2x2x1xf32>)",
                    "tensor<2x1x1x4xf32>, tensor<2x2x3xf32>)");
  packed = replaced(packed, "  %0, %1 = mha.attend", R"(
  %keys = mha.pack_appended panel %a : tensor<2x2x1xf32> -> tensor<2x1x1x4xf32>
  %values = mha.pack_appended rows %a : tensor<2x2x1xf32> -> tensor<2x2x3xf32>
  %0, %1 = mha.attend)");
  auto again = runGraph(packed, arguments);
  ASSERT_EQ(again.size(), 2u);
  EXPECT_TRUE(near(again[0], results[0], 0));
  EXPECT_TRUE(near(again[1], results[1], 0));
}

TEST_F(GraphParameters, AppendedKeysOfOtherHeads) {
  EXPECT_THAT(
      graphError(
          replaced(kAppended, "tensor<2x2x1xf32>", "tensor<3x2x1xf32>"),
          {Array::filled({1, 2, 1, 1}), Array::filled({1, 2, 1, 1}), Array::filled({3, 2, 1})}),
      AllOf(HasSubstr("mha.attend at loc"), HasSubstr("must have appended keys and values")));
}

//===--- Projections -------------------------------------------------------===//

constexpr const char *kBiasFirst = R"(
func.func @f(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>, %b: tensor<5xf32>) -> tensor<1x1xf32> {
  %0 = mha.project %x, %w bias %b first 1 {bias_first = 3 : i64}
    : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<5xf32>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
})";

TEST_F(GraphParameters, BiasMayStartElsewhereThanTheWeight) {
  const std::vector<Array> arguments = {Array::of({1, 2}, {1, 10}), Array::of({2, 2}, {1, 2, 3, 4}),
                                        Array::of({5}, {100, 200, 300, 400, 500})};
  auto results = runGraph(kBiasFirst, arguments);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(elements(results[0]), std::vector<double>{443});
  results = runGraph(replaced(kBiasFirst, "{bias_first = 3 : i64}", ""), arguments);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(elements(results[0]), std::vector<double>{243});
  EXPECT_THAT(graphError(replaced(kBiasFirst, "= 3", "= 5"), arguments),
              AllOf(HasSubstr("mha.project at loc"), HasSubstr("elements outside its bias")));
}

} // namespace
} // namespace attune::test
