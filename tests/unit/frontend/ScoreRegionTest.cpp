//===- ScoreRegionTest.cpp - Score regions, and what they compute ---------===//
#include "dialect/Mha.h"
#include "frontend/BuildGraph.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace attune;
using namespace mlir;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
const float nan = std::nanf("");

/// Where an expression is evaluated, and the lengths of the call.
struct Point {
  float s = 0;
  int64_t b = 0, h = 0, i = 0, j = 0, targetLength = 7, sourceLength = 9;
};

/// A configuration of 3 heads of 4 columns.
Config withScore(attune::Op op, std::optional<std::string> score) {
  Config config;
  config.op = op;
  config.score = std::move(score);
  config.module.numHeads = 3;
  (op == attune::Op::Attention ? config.module.headDim : config.module.embedDim) =
      op == attune::Op::Attention ? 4 : 12;
  return config;
}

class ScoreRegion : public testing::Test {
protected:
  /// The region that the configuration's graph has. The graph lives until the next call.
  Region &build(Config config) {
    llvm::Error error = checkConfig(config);
    EXPECT_FALSE(bool(error)) << llvm::toString(std::move(error));
    module = buildGraph(config, context);
    EXPECT_TRUE(succeeded(verify(*module)));
    Region *found = nullptr;
    module->walk([&](Operation *op) {
      if (auto attention = dyn_cast<mha::AttentionOp>(op))
        found = &attention.getScore();
      if (auto whole = dyn_cast<mha::MultiheadAttentionOp>(op))
        found = &whole.getScore();
    });
    return *found;
  }

  /// Folds the operations of the region one after the other.
  float evaluate(const Config &config, const Point &point) {
    Region &region = build(config);
    if (region.empty())
      return point.s;
    Block &block = region.front();
    Builder builder(&context);
    values.clear();
    values[block.getArgument(0)] = builder.getF32FloatAttr(point.s);
    const int64_t indices[] = {point.b, point.h, point.i, point.j};
    for (auto [index, number] : llvm::enumerate(indices))
      values[block.getArgument(1 + index)] = builder.getIndexAttr(number);
    for (Operation &op : block.without_terminator())
      values[op.getResult(0)] = foldOne(op, point);
    auto result = dyn_cast_or_null<FloatAttr>(
        values.lookup(cast<mha::YieldOp>(block.getTerminator()).getValue()));
    EXPECT_TRUE(result);
    return result ? result.getValue().convertToFloat() : nan;
  }

  Attribute foldOne(Operation &op, const Point &point) {
    if (auto size = dyn_cast<mha::SizeOp>(op))
      return Builder(&context).getIndexAttr(
          size.getKind() == mha::SizeKind::Target ? point.targetLength : point.sourceLength);
    SmallVector<Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    SmallVector<OpFoldResult> results;
    if (failed(op.fold(operands, results)) || results.size() != 1) {
      ADD_FAILURE() << op.getName().getStringRef().str() << " does not fold";
      return {};
    }
    auto value = dyn_cast<Value>(results[0]);
    return value ? values.lookup(value) : cast<Attribute>(results[0]);
  }

  float evaluate(const char *score, const Point &point) {
    return evaluate(withScore(attune::Op::Attention, score), point);
  }

  /// How many operations of a name the region has.
  static int count(Region &region, StringRef name) {
    return llvm::count_if(region.front(),
                          [&](Operation &op) { return op.getName().getStringRef() == name; });
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  DenseMap<Value, Attribute> values;
};

TEST_F(ScoreRegion, StaysEmptyWithoutEffect) {
  for (attune::Op op : {attune::Op::Attention, attune::Op::MultiheadAttention}) {
    EXPECT_TRUE(build(withScore(op, std::nullopt)).empty());
    EXPECT_TRUE(build(withScore(op, "(s)")).empty());
    EXPECT_FALSE(build(withScore(op, "s + 0")).empty());
    EXPECT_FALSE(build(withScore(op, "j")).empty());
  }
}

TEST_F(ScoreRegion, EveryNameAndFunction) {
  const Point point = {0.75f, 2, 1, 5, 3};
  const std::pair<const char *, float> table[] = {
      {"s", 0.75f},
      {"b", 2},
      {"h", 1},
      {"i", 5},
      {"j", 3},
      {"L", 7},
      {"S", 9},
      {"H", 3},
      {"D", 4},
      {"inf", inf},
      {"-inf", -inf},
      {"1.25e1", 12.5f},
      {"s + i", 5.75f},
      {"s - i", -4.25f},
      {"s * i", 3.75f},
      {"s / i", 0.15f},
      {"-s", -0.75f},
      {"+s", 0.75f},
      {"min(s, i, j)", 0.75f},
      {"min(i, s)", 0.75f},
      {"max(s, i, j)", 5},
      {"max(j, i)", 5},
      {"abs(-s)", 0.75f},
      {"exp(s)", std::exp(0.75f)},
      {"log(s)", std::log(0.75f)},
      {"tanh(s)", std::tanh(0.75f)},
      {"sqrt(s)", std::sqrt(0.75f)},
      {"where(i < j, 1, 2)", 2},
      {"where(j < i, 1, 2)", 1},
      {"where(i < i, 1, 2)", 2},
      {"where(i <= j, 1, 2)", 2},
      {"where(i <= i, 1, 2)", 1},
      {"where(i > j, 1, 2)", 1},
      {"where(i > i, 1, 2)", 2},
      {"where(j >= i, 1, 2)", 2},
      {"where(i >= i, 1, 2)", 1},
      {"where(i == i, 1, 2)", 1},
      {"where(i == j, 1, 2)", 2},
      {"where(i != j, 1, 2)", 1},
      {"where(i != i, 1, 2)", 2},
      {"where(i == 5 and j == 3, 1, 2)", 1},
      {"where(i == 5 and j == 4, 1, 2)", 2},
      {"where(i == 4 or j == 3, 1, 2)", 1},
      {"where(i == 4 or j == 4, 1, 2)", 2},
      {"where(not i == 4, 1, 2)", 1},
      {"where(not i == 5, 1, 2)", 2},
  };
  for (attune::Op op : {attune::Op::Attention, attune::Op::MultiheadAttention})
    for (const auto &[score, expected] : table)
      EXPECT_FLOAT_EQ(evaluate(withScore(op, score), point), expected) << score;
}

TEST_F(ScoreRegion, WholeExpressions) {
  const Point point = {-3.5f, 1, 2, 4, 6};
  EXPECT_FLOAT_EQ(evaluate("s + 0.1 * (j - i)", point), -3.5f + 0.1f * 2);
  EXPECT_FLOAT_EQ(evaluate("s - exp(-8 * (h + 1) / H * log(2)) * abs(i - j)", point),
                  -3.5f - 2 / 256.0f);
  EXPECT_FLOAT_EQ(evaluate("30 * tanh(s / 30)", point), 30 * std::tanh(-3.5f / 30));
  EXPECT_FLOAT_EQ(evaluate("where(i - j < 2 and j - i <= 1, s, -inf)", point), -inf);
  EXPECT_FLOAT_EQ(evaluate("s - 1 - 2 * -3 / (1 + 2) - -1", point), -3.5f - 1 + 2 + 1);
  EXPECT_FLOAT_EQ(evaluate("min(max(j - i, -1), 1) * 0.5 + s * (L - S)", point), 0.5f + 7.0f);
}

TEST_F(ScoreRegion, NotANumber) {
  Point point;
  point.s = nan;
  for (const char *score : {"s", "s + 1", "min(s, 1)", "max(1, s)", "max(inf, s)", "-s", "abs(s)"})
    EXPECT_TRUE(std::isnan(evaluate(score, point))) << score;
  EXPECT_TRUE(std::isnan(evaluate("inf - inf", point)));
  EXPECT_TRUE(std::isnan(evaluate("0 * inf", point)));
  const std::pair<const char *, float> table[] = {
      {"where(s < 1, 1, 2)", 2},     {"where(s <= 1, 1, 2)", 2}, {"where(s > 1, 1, 2)", 2},
      {"where(s >= 1, 1, 2)", 2},    {"where(s == s, 1, 2)", 2}, {"where(s != s, 1, 2)", 1},
      {"where(not s < 1, 1, 2)", 1}, {"where(b == 0, 1, s)", 1}};
  for (const auto &[score, expected] : table)
    EXPECT_EQ(evaluate(score, point), expected) << score;
}

TEST_F(ScoreRegion, IndicesAreRoundedToFloat32) {
  Point point;
  point.j = 16777217;
  EXPECT_EQ(evaluate("j", point), 16777216.0f);
  point.j = 2147483647;
  EXPECT_EQ(evaluate("j", point), 2147483648.0f);
  Config config = withScore(attune::Op::Attention, "S");
  config.forward.sourceLength = 16777217;
  EXPECT_EQ(evaluate(config, point), 16777216.0f);
}

TEST_F(ScoreRegion, FixedLengthsAreConstants) {
  Config config = withScore(attune::Op::MultiheadAttention, "L + 100 * S");
  EXPECT_EQ(count(build(config), "mha.size"), 2);
  EXPECT_EQ(evaluate(config, {}), 907.0f);
  config.forward.targetLength = 5;
  EXPECT_EQ(count(build(config), "mha.size"), 1);
  EXPECT_EQ(evaluate(config, {}), 905.0f);
  config.forward.inputs = Inputs::Self;
  EXPECT_EQ(count(build(config), "mha.size"), 0);
  EXPECT_EQ(evaluate(config, {}), 505.0f);
}

TEST_F(ScoreRegion, OneConversionServesEveryMention) {
  Region &region = build(withScore(attune::Op::Attention, "s + i * i + (j - i) * L * L"));
  EXPECT_EQ(count(region, "arith.sitofp"), 3);
  EXPECT_EQ(count(region, "mha.size"), 1);
}

} // namespace
