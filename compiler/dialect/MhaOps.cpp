//===- MhaOps.cpp - Verifiers ---------------------------------------------===//
#include "dialect/Mha.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

#define GET_OP_CLASSES
#include "dialect/MhaOps.cpp.inc"

using namespace mlir;

namespace attune::mha {

/// Checks one optional region of attend or scores: one block with the given argument types that
/// ends in a mha.yield of `result`.
static LogicalResult verifyRegion(Operation *op, Region &region, StringRef name,
                                  TypeRange arguments, Type result) {
  if (region.empty())
    return success();
  if (!region.hasOneBlock())
    return op->emitOpError() << name << " region must have one block";
  Block &block = region.front();
  if (block.getArgumentTypes() != arguments)
    return op->emitOpError() << name << " region takes arguments of types (" << arguments
                             << "), found (" << block.getArgumentTypes() << ")";
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield || yield.getValue().getType() != result)
    return op->emitOpError() << name << " region must end in mha.yield of " << result;
  return success();
}

/// Argument types (b, h, i, j) of a keep region, after `s` for a score region, before `elements`.
static SmallVector<Type> regionTypes(MLIRContext *context, bool score, TypeRange elements) {
  Builder builder(context);
  SmallVector<Type> types;
  if (score)
    types.push_back(builder.getF32Type());
  types.append(4, builder.getIndexType());
  llvm::append_range(types, elements);
  return types;
}

static LogicalResult verifyScoreAndKeep(Operation *op, Region &score, Region &keep,
                                        TypeRange elements) {
  Builder builder(op->getContext());
  if (failed(verifyRegion(op, score, "score", regionTypes(op->getContext(), true, elements),
                          builder.getF32Type())))
    return failure();
  return verifyRegion(op, keep, "keep", regionTypes(op->getContext(), false, elements),
                      builder.getI1Type());
}

LogicalResult MultiheadAttentionOp::verify() {
  const int64_t rank = getOrder() == Order::LE ? 2 : 3;
  for (Value tensor : {Value(getQuery()), Value(getKey()), Value(getValue())})
    if (cast<RankedTensorType>(tensor.getType()).getRank() != rank)
      return emitOpError() << "query, key and value must have rank " << rank << " in order "
                           << stringifyOrder(getOrder());
  int64_t embedDim = getQuery().getType().getShape().back();
  if (getNumHeads() < 1 || ShapedType::isDynamic(embedDim) || embedDim % getNumHeads() != 0)
    return emitOpError() << "embed_dim " << embedDim
                         << " must be static and divisible by num_heads " << getNumHeads();
  auto weight = getInProjWeight().getType().getShape();
  if (weight.size() != 2 || weight[0] != 3 * embedDim || weight[1] != embedDim)
    return emitOpError() << "in_proj_weight must be " << 3 * embedDim << "x" << embedDim;
  return success();
}

LogicalResult ProjectOp::verify() {
  if (getX().getType().getRank() < 1 || getResult().getType().getRank() < 1)
    return emitOpError() << "x and the result must have a dimension to project";
  if (static_cast<int64_t>(getFirst()) < 0)
    return emitOpError() << "first row " << static_cast<int64_t>(getFirst()) << " is negative";
  auto weight = getWeight().getType().getShape();
  int64_t depth = getX().getType().getShape().back();
  if (weight.size() != 2 && weight.size() != 3)
    return emitOpError() << "weight must have rank 2, or 3 when packed, found " << weight.size();
  if (weight[1] != depth)
    return emitOpError() << "weight has depth " << weight[1] << ", x has " << depth;
  int64_t available = isPacked() ? weight[0] * weight[2] : weight[0];
  if (static_cast<int64_t>(getFirst()) + getColumns() > available)
    return emitOpError() << "rows [" << getFirst() << ", " << getFirst() + getColumns()
                         << ") lie outside the weight's " << available;
  return success();
}

LogicalResult AttendOp::verify() {
  if (getQuery().getType().getRank() != 4 || getKey().getType().getRank() != 4 ||
      getValue().getType().getRank() != 4)
    return emitOpError() << "query, key and value must have rank 4 (N, H, L or S, D)";
  return verifyScoreAndKeep(*this, getScore(), getKeep(), {});
}

LogicalResult LoadOp::verify() {
  int64_t rank = getSource().getType().getRank();
  if (rank != static_cast<int64_t>(getIndices().size()))
    return emitOpError() << "takes one index a dimension: " << rank << " expected, "
                         << getIndices().size() << " found";
  if (rank < (getTile().getType().getPanel() ? 3 : 2))
    return emitOpError() << "source has too few dimensions for " << getTile().getType();
  return success();
}

LogicalResult ScoresOp::verify() {
  TileType query = getQuery().getType(), key = getKey().getType(), p = getP().getType();
  if (query.getColumns() != key.getColumns())
    return emitOpError() << "query has depth " << query.getColumns() << ", key has "
                         << key.getColumns();
  if (!key.getPanel())
    return emitOpError() << "key must be a panel tile";
  if (p.getRows() != query.getRows() || p.getColumns() != key.getRows())
    return emitOpError() << "p must be " << query.getRows() << "x" << key.getRows();
  if (getStats().getType().getRows() != query.getRows() ||
      getRescale().getType().getRows() != query.getRows())
    return emitOpError() << "statistics and rescale factors must have " << query.getRows()
                         << " rows";
  if (!getStats().hasOneUse())
    return emitOpError() << "must be the only use of its statistics, they are updated in place";
  SmallVector<Type> elements;
  for (Value tile : getTiles())
    elements.push_back(cast<TileType>(tile.getType()).getElementType());
  return verifyScoreAndKeep(*this, getScore(), getKeep(), elements);
}

LogicalResult AccumulateOp::verify() {
  TileType acc = getAcc().getType(), a = getA().getType(), b = getB().getType();
  if (!getAcc().hasOneUse())
    return emitOpError() << "must be the only use of its accumulator, it is updated in place";
  if (acc.getRows() != a.getRows() || acc.getColumns() != b.getColumns() ||
      a.getColumns() != b.getRows())
    return emitOpError() << "extents do not match: " << acc << " from " << a << " and " << b;
  if (!getB().getDefiningOp<LoadOp>())
    return emitOpError() << "b must come from a mha.load";
  return success();
}

} // namespace attune::mha
