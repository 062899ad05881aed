//===- AttentionRegions.cpp - Regions of attend on tiles ------------------===//
#include "transforms/AttentionRegions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace attune {

namespace {
/// Position of a region's argument among (b, h, i, j), or -1 for s.
int indexOf(BlockArgument argument) {
  return static_cast<int>(argument.getArgNumber()) -
         (static_cast<int>(argument.getOwner()->getNumArguments()) - 4);
}

bool isArgument(Value value, int index) {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && argument.getOwner()->isEntryBlock() &&
         isa<mha::AttendOp>(argument.getOwner()->getParentOp()) && indexOf(argument) == index;
}

/// The same computation, maybe in another region of the same attend.
bool isSame(Value a, Value b) {
  if (a == b)
    return true;
  auto left = dyn_cast<BlockArgument>(a), right = dyn_cast<BlockArgument>(b);
  if (left && right)
    return left.getOwner()->getParentOp() == right.getOwner()->getParentOp() &&
           indexOf(left) == indexOf(right);
  Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  return x && y && x->getName() == y->getName() &&
         x->getDiscardableAttrDictionary() == y->getDiscardableAttrDictionary() &&
         x->getPropertiesAsAttribute() == y->getPropertiesAsAttribute() &&
         llvm::all_of_zip(x->getOperands(), y->getOperands(), isSame);
}

/// True when a value is computed from b, h and what lies outside the region.
bool dependsOnHeadOnly(Value value, Region &region) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return !region.isAncestor(argument.getParentRegion()) || isArgument(value, 0) ||
           isArgument(value, 1);
  Operation *op = value.getDefiningOp();
  return !region.isAncestor(op->getParentRegion()) ||
         llvm::all_of(op->getOperands(),
                      [&](Value operand) { return dependsOnHeadOnly(operand, region); });
}

/// The elements that `value` is computed from, each once.
void collectElements(Value value, SmallVectorImpl<mha::ElementOp> &elements) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<mha::AttendOp>(op->getParentOp()))
    return;
  if (auto element = dyn_cast<mha::ElementOp>(op)) {
    if (llvm::none_of(elements, [&](mha::ElementOp known) { return isSame(known, element); }))
      elements.push_back(element);
    return;
  }
  for (Value operand : op->getOperands())
    collectElements(operand, elements);
}
} // namespace

AttentionRegions::AttentionRegions(TileBuilder &tile, const AttentionStage &stage)
    : builder(tile.builder), stage(stage), attend(stage.attend), loc(tile.loc),
      keep(keepConjuncts(attend.getKeep())) {}

LogicalResult AttentionRegions::check() {
  WalkResult result = attend->walk([&](mha::ElementOp element) {
    auto indices = element.getIndices();
    const size_t inner = isPerKey(element) ? 1 : 2;
    Region &region = *element->getParentRegion();
    if (!indices.empty() && isArgument(indices.back(), 3) &&
        llvm::all_of(indices.drop_back(inner),
                     [&](Value index) { return dependsOnHeadOnly(index, region); }))
      return WalkResult::advance();
    element.emitOpError()
        << "must be indexed by (.., i, j) or (.., j), where b and h give the rest";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

bool AttentionRegions::isPerKey(mha::ElementOp element) {
  auto indices = element.getIndices();
  return indices.size() < 2 || !isArgument(indices[indices.size() - 2], 2);
}

SmallVector<Value> AttentionRegions::leadingIndices(mha::ElementOp element, Value batch,
                                                    Value head) {
  Block *block = element->getBlock();
  auto arguments = block->getArguments().take_back(4);
  IRMapping mapping;
  mapping.map(arguments[0], batch);
  mapping.map(arguments[1], head);
  operands.clear();
  SmallVector<Value> result;
  for (Value index : element.getIndices().drop_back(isPerKey(element) ? 1 : 2))
    result.push_back(clone(index, mapping));
  return result;
}

bool AttentionRegions::takes(const KeepConjunct &conjunct, const RegionVariant &variant) const {
  if (variant.appended)
    return false;
  return conjunct.bound ? variant.runsBounds : variant.runsMasks || !conjunct.isBoolMask();
}

SmallVector<mha::ElementOp> AttentionRegions::elements(const RegionVariant &variant) {
  SmallVector<mha::ElementOp> result;
  if (!attend.getScore().empty() && !variant.appended)
    collectElements(cast<mha::YieldOp>(attend.getScore().front().getTerminator()).getValue(),
                    result);
  for (const KeepConjunct &conjunct : keep)
    if (takes(conjunct, variant))
      collectElements(conjunct.value, result);
  return result;
}

void AttentionRegions::buildScore(Region &region, ValueRange tiles, const RegionVariant &variant) {
  if (attend.getScore().empty() || variant.appended)
    return;
  operands = elements(variant);
  OpBuilder::InsertionGuard guard(builder);
  IRMapping mapping = startRegion(attend.getScore(), region, tiles);
  auto yield = cast<mha::YieldOp>(attend.getScore().front().getTerminator());
  mha::YieldOp::create(builder, loc, clone(yield.getValue(), mapping));
}

void AttentionRegions::buildKeep(Region &region, ValueRange tiles, const RegionVariant &variant,
                                 Value keyLimit) {
  SmallVector<Value> kept;
  for (const KeepConjunct &conjunct : keep)
    if (takes(conjunct, variant))
      kept.push_back(conjunct.value);
  const bool limits = variant.runsBounds || variant.appended;
  if (kept.empty() && !limits)
    return;
  operands = elements(variant);
  OpBuilder::InsertionGuard guard(builder);
  IRMapping mapping = startRegion(attend.getKeep(), region, tiles);
  Value condition;
  auto conjoin = [&](Value next) {
    condition = condition ? arith::AndIOp::create(builder, loc, condition, next).getResult() : next;
  };
  if (limits)
    conjoin(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                  region.front().getArgument(3), keyLimit));
  for (Value value : kept)
    conjoin(clone(value, mapping));
  mha::YieldOp::create(builder, loc, condition);
}

/// Starts a region of a scoring operation; maps the arguments of attend's region, if there is one.
IRMapping AttentionRegions::startRegion(Region &from, Region &to, ValueRange tiles) {
  SmallVector<Type> types(4, builder.getIndexType());
  if (&from == &attend.getScore())
    types.insert(types.begin(), builder.getF32Type());
  const size_t plain = types.size();
  for (Value operand : tiles)
    types.push_back(cast<mha::TileType>(operand.getType()).getRegionElementType());
  Block *block = builder.createBlock(&to, {}, types, SmallVector<Location>(types.size(), loc));
  IRMapping mapping;
  if (!from.empty())
    mapping.map(from.front().getArguments(), block->getArguments().take_front(plain));
  operandArguments = block->getArguments().drop_front(plain);
  return mapping;
}

/// Clones what `value` is computed from; elements become the arguments of tile operands, sizes the
/// values of the call.
Value AttentionRegions::clone(Value value, IRMapping &mapping) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op || !isa<mha::AttendOp>(op->getParentOp()))
    return value;
  if (auto element = dyn_cast<mha::ElementOp>(op)) {
    auto found =
        llvm::find_if(operands, [&](mha::ElementOp known) { return isSame(known, element); });
    mapping.map(value, operandArguments[found - operands.begin()]);
  } else if (auto size = dyn_cast<mha::SizeOp>(op)) {
    mapping.map(value,
                size.getKind() == mha::SizeKind::Target ? stage.targetLength : stage.sourceLength);
  } else {
    for (Value operand : op->getOperands())
      clone(operand, mapping);
    builder.clone(*op, mapping);
  }
  return mapping.lookup(value);
}

} // namespace attune
