//===- RowLimits.cpp - How many keys of a tile each query row sees --------===//
#include "codegen/cpu/RowLimits.h"

#include "dialect/KeepBounds.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace attune::cpu {

/// The value that a condition j < value compares with, if that is the same for the whole tile.
static Value tileLimit(Value condition, Region &keep) {
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare || compare.getPredicate() != arith::CmpIPredicate::slt ||
      compare.getLhs() != keep.getArgument(3))
    return {};
  Value limit = compare.getRhs();
  return keep.isAncestor(limit.getParentRegion()) ? Value() : limit;
}

std::optional<RowLimits> rowLimits(mha::ScoresOp op, OpBuilder &builder) {
  Region &keep = op.getKeep();
  if (keep.empty())
    return std::nullopt;
  Location loc = op.getLoc();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  std::optional<UpperBound> diagonal;
  SmallVector<Value> limits;
  for (const KeepConjunct &conjunct : keepConjuncts(keep)) {
    if (Value limit = tileLimit(conjunct.value, keep))
      limits.push_back(limit);
    else if (!conjunct.bound || (conjunct.bound->queryFactor != 0 && diagonal))
      return std::nullopt;
    else if (conjunct.bound->queryFactor == 0)
      limits.push_back(constant(conjunct.bound->offset + 1));
    else
      diagonal = conjunct.bound;
  }
  // Counted from the first key, within what kernels take as i32.
  constexpr int64_t most = int64_t(1) << 30;
  auto fromFirstKey = [&](Value limit) -> Value {
    Value columns = arith::SubIOp::create(builder, loc, limit, op.getFirstKey());
    columns = arith::MinSIOp::create(builder, loc, columns, constant(most));
    return arith::MaxSIOp::create(builder, loc, columns, constant(-most));
  };
  Value visible = constant(most);
  for (Value limit : limits)
    visible = arith::MinSIOp::create(builder, loc, visible, fromFirstKey(limit));
  if (!diagonal)
    return RowLimits{visible, visible, 0};
  // j <= step * i + offset for the first row.
  Value first = constant(diagonal->offset + 1);
  if (diagonal->queryFactor > 0)
    first = arith::AddIOp::create(builder, loc, first, op.getFirstQuery());
  else
    first = arith::SubIOp::create(builder, loc, first, op.getFirstQuery());
  return RowLimits{visible, fromFirstKey(first), static_cast<int>(diagonal->queryFactor)};
}

} // namespace attune::cpu
