//===- KeepBounds.cpp - Loop bounds out of a keep region ------------------===//
#include "dialect/KeepBounds.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace attune {

namespace {
/// query * i + key * j + constant
struct LinearForm {
  int64_t query = 0, key = 0, constant = 0;
};

LinearForm combine(LinearForm a, LinearForm b, int64_t sign) {
  return {a.query + sign * b.query, a.key + sign * b.key, a.constant + sign * b.constant};
}

std::optional<LinearForm> linearForm(Value value, Value i, Value j) {
  if (value == i)
    return LinearForm{1, 0, 0};
  if (value == j)
    return LinearForm{0, 1, 0};
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return LinearForm{0, 0, constant.getInt()};
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<arith::AddIOp, arith::SubIOp>(op))
    return std::nullopt;
  auto lhs = linearForm(op->getOperand(0), i, j), rhs = linearForm(op->getOperand(1), i, j);
  if (!lhs || !rhs)
    return std::nullopt;
  return combine(*lhs, *rhs, isa<arith::AddIOp>(op) ? 1 : -1);
}

/// `form` such that the comparison is form >= 0, for the signed orders on index.
std::optional<LinearForm> nonNegative(arith::CmpIOp compare, Value i, Value j) {
  if (!compare.getLhs().getType().isIndex())
    return std::nullopt;
  auto lhs = linearForm(compare.getLhs(), i, j), rhs = linearForm(compare.getRhs(), i, j);
  if (!lhs || !rhs)
    return std::nullopt;
  LinearForm one{0, 0, 1};
  switch (compare.getPredicate()) {
  case arith::CmpIPredicate::sle:
    return combine(*rhs, *lhs, -1);
  case arith::CmpIPredicate::slt:
    return combine(combine(*rhs, *lhs, -1), one, -1);
  case arith::CmpIPredicate::sge:
    return combine(*lhs, *rhs, -1);
  case arith::CmpIPredicate::sgt:
    return combine(combine(*lhs, *rhs, -1), one, -1);
  default:
    return std::nullopt;
  }
}

std::optional<UpperBound> upperBound(Value condition, Value i, Value j) {
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare)
    return std::nullopt;
  auto form = nonNegative(compare, i, j);
  if (!form || form->key != -1 || std::abs(form->query) > 1)
    return std::nullopt;
  return UpperBound{form->query, form->constant};
}

/// The element that `condition` compares to 0 (i8, equal) or to -inf (f32, not equal).
mha::ElementOp maskElement(Value condition) {
  Operation *compare = condition.getDefiningOp();
  if (!isa_and_nonnull<arith::CmpIOp, arith::CmpFOp>(compare))
    return {};
  auto element = compare->getOperand(0).getDefiningOp<mha::ElementOp>();
  if (auto integers = dyn_cast<arith::CmpIOp>(compare))
    return integers.getPredicate() == arith::CmpIPredicate::eq && element &&
                   element.getType().isInteger(8) && matchPattern(integers.getRhs(), m_Zero())
               ? element
               : mha::ElementOp();
  auto floats = cast<arith::CmpFOp>(compare);
  return floats.getPredicate() == arith::CmpFPredicate::UNE && element &&
                 matchPattern(floats.getRhs(), m_NegInfFloat())
             ? element
             : mha::ElementOp();
}
} // namespace

bool KeepConjunct::isBoolMask() const {
  return mask && mha::ElementOp(mask).getType().isInteger(8);
}

bool KeepConjunct::isPadding() const {
  if (!mask)
    return false;
  auto indices = mha::ElementOp(mask).getIndices();
  Block *block = Value(value).getParentBlock();
  Value b = block->getArgument(0), j = block->getArgument(3);
  return !indices.empty() && indices.back() == j &&
         llvm::all_of(indices.drop_back(), [&](Value index) { return index == b; });
}

SmallVector<KeepConjunct> keepConjuncts(Region &keep) {
  SmallVector<KeepConjunct> conjuncts;
  if (keep.empty())
    return conjuncts;
  Block &block = keep.front();
  Value i = block.getArgument(2), j = block.getArgument(3);
  SmallVector<Value> pending = {cast<mha::YieldOp>(block.getTerminator()).getValue()};
  while (!pending.empty()) {
    Value condition = pending.pop_back_val();
    if (auto both = condition.getDefiningOp<arith::AndIOp>()) {
      pending.push_back(both.getRhs());
      pending.push_back(both.getLhs());
      continue;
    }
    conjuncts.push_back({condition, upperBound(condition, i, j), maskElement(condition)});
  }
  return conjuncts;
}

} // namespace attune
