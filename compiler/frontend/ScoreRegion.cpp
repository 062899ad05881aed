//===- ScoreRegion.cpp - A score expression as a region -------------------===//
#include "frontend/ScoreRegion.h"

#include "dialect/Mha.h"
#include "frontend/ScoreParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include <map>

using namespace mlir;

namespace attune {

namespace {
using Create = Value (*)(OpBuilder &, Location, ValueRange);

template <typename Op> Value create(OpBuilder &builder, Location loc, ValueRange operands) {
  return Op::create(builder, loc, operands).getResult();
}

template <arith::CmpFPredicate predicate>
Value compare(OpBuilder &builder, Location loc, ValueRange operands) {
  return arith::CmpFOp::create(builder, loc, predicate, operands[0], operands[1]);
}

Value negateCondition(OpBuilder &builder, Location loc, ValueRange operands) {
  Value yes = arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  return arith::XOrIOp::create(builder, loc, operands[0], yes);
}

struct Row {
  ScoreOp op;
  unsigned operands;
  Create create;
};

constexpr Row operations[] = {
    {ScoreOp::Add, 2, create<arith::AddFOp>},
    {ScoreOp::Subtract, 2, create<arith::SubFOp>},
    {ScoreOp::Multiply, 2, create<arith::MulFOp>},
    {ScoreOp::Divide, 2, create<arith::DivFOp>},
    {ScoreOp::Negate, 1, create<arith::NegFOp>},
    {ScoreOp::Min, 2, create<arith::MinimumFOp>},
    {ScoreOp::Max, 2, create<arith::MaximumFOp>},
    {ScoreOp::Abs, 1, create<math::AbsFOp>},
    {ScoreOp::Exp, 1, create<math::ExpOp>},
    {ScoreOp::Log, 1, create<math::LogOp>},
    {ScoreOp::Tanh, 1, create<math::TanhOp>},
    {ScoreOp::Sqrt, 1, create<math::SqrtOp>},
    {ScoreOp::Where, 3, create<arith::SelectOp>},
    {ScoreOp::Less, 2, compare<arith::CmpFPredicate::OLT>},
    {ScoreOp::LessEqual, 2, compare<arith::CmpFPredicate::OLE>},
    {ScoreOp::Greater, 2, compare<arith::CmpFPredicate::OGT>},
    {ScoreOp::GreaterEqual, 2, compare<arith::CmpFPredicate::OGE>},
    {ScoreOp::Equal, 2, compare<arith::CmpFPredicate::OEQ>},
    {ScoreOp::NotEqual, 2, compare<arith::CmpFPredicate::UNE>},
    {ScoreOp::And, 2, create<arith::AndIOp>},
    {ScoreOp::Or, 2, create<arith::OrIOp>},
    {ScoreOp::Not, 1, negateCondition},
};

class RegionBuilder {
public:
  RegionBuilder(const Config &config, Block &block, Location loc)
      : config(config), block(block), loc(loc), builder(OpBuilder::atBlockEnd(&block)) {}

  void build(const ScoreExpression &expression) {
    SmallVector<Value> values;
    for (const ScoreNode &node : expression.nodes)
      values.push_back(valueOf(node, values));
    mha::YieldOp::create(builder, loc, values.back());
  }

private:
  Value valueOf(const ScoreNode &node, ArrayRef<Value> values) {
    if (node.op == ScoreOp::Number)
      return constant(node.number);
    const auto *row = llvm::find_if(operations, [&](const Row &row) { return row.op == node.op; });
    if (row == std::end(operations))
      return variable(node.op);
    SmallVector<Value> operands;
    for (unsigned position : ArrayRef(node.operands).take_front(row->operands))
      operands.push_back(values[position]);
    return row->create(builder, loc, operands);
  }

  /// One conversion serves every mention of a variable.
  Value variable(ScoreOp op) {
    Value &known = variables[op];
    if (!known)
      known = newVariable(op);
    return known;
  }

  Value newVariable(ScoreOp op) {
    switch (op) {
    case ScoreOp::TargetLength:
      return size(mha::SizeKind::Target, config.forward.targetLength);
    case ScoreOp::SourceLength:
      return size(mha::SizeKind::Source, config.forward.sourceLength);
    case ScoreOp::HeadCount:
      return constant(config.module.numHeads);
    case ScoreOp::HeadDim:
      return constant(config.module.headDim);
    case ScoreOp::Score:
      return block.getArgument(0);
    default:
      // The block takes (s, b, h, i, j), in the order of the enumeration.
      return toFloat(block.getArgument(static_cast<int>(op) - static_cast<int>(ScoreOp::Score)));
    }
  }

  Value size(mha::SizeKind kind, std::optional<int64_t> fixed) {
    if (fixed)
      return constant(*fixed);
    return toFloat(mha::SizeOp::create(builder, loc, builder.getIndexType(),
                                       mha::SizeKindAttr::get(builder.getContext(), kind)));
  }

  Value toFloat(Value index) {
    Value integer = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), index);
    return arith::SIToFPOp::create(builder, loc, builder.getF32Type(), integer);
  }

  Value constant(float number) {
    return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(number));
  }

  const Config &config;
  Block &block;
  Location loc;
  OpBuilder builder;
  std::map<ScoreOp, Value> variables;
};
} // namespace

void buildScoreRegion(const Config &config, Region &region, Location loc) {
  if (!config.score)
    return;
  ScoreExpression expression = llvm::cantFail(parseScore(*config.score));
  if (expression.isIdentity())
    return;
  Builder builder(region.getContext());
  Type index = builder.getIndexType();
  Block &block = region.emplaceBlock();
  block.addArguments({builder.getF32Type(), index, index, index, index},
                     SmallVector<Location>(5, loc));
  RegionBuilder(config, block, loc).build(expression);
}

} // namespace attune
