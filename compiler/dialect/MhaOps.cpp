//===- MhaOps.cpp - Verifiers ---------------------------------------------===//
#include "dialect/Mha.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

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

/// One stacked weight (3E, E), or those of query, key and value (E, their width).
static LogicalResult verifyInProjection(MultiheadAttentionOp op, int64_t embedDim) {
  auto shapeOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getShape(); };
  OperandRange weights = op.getInProjWeights();
  if (weights.size() == 1) {
    if (shapeOf(weights[0]) != ArrayRef({3 * embedDim, embedDim}))
      return op.emitOpError() << "in_proj_weight must be " << 3 * embedDim << "x" << embedDim;
    return success();
  }
  if (weights.size() != 3)
    return op.emitOpError() << "takes one in_proj weight, or three, found " << weights.size();
  for (auto [weight, input] : llvm::zip(weights, op->getOperands()))
    if (shapeOf(weight) != ArrayRef({embedDim, shapeOf(input).back()}))
      return op.emitOpError() << "weights of query, key and value must be " << embedDim
                              << " rows as wide as their input";
  return success();
}

/// attn_mask (L, S) or (N*H, L, S); key_padding_mask (N, S), or (S) where there is no batch.
template <typename Op> static LogicalResult verifyMasks(Op op) {
  for (auto [name, mask, least] : {std::tuple("attn_mask", op.getAttnMask(), 2),
                                   {"key_padding_mask", op.getKeyPaddingMask(), 1}})
    if (mask && mask.getType().getRank() != least && mask.getType().getRank() != least + 1)
      return op.emitOpError() << name << " must have rank " << least << " or " << least + 1
                              << ", found " << mask.getType().getRank();
  return success();
}

template <typename Op> static LogicalResult verifyAppended(Op op) {
  auto key = op.getAppendedKey(), value = op.getAppendedValue();
  if (static_cast<bool>(key) != static_cast<bool>(value))
    return op.emitOpError() << "appended keys and values come together";
  if (value && value.getType().getRank() != 3)
    return op.emitOpError() << "appended values must be (H, A, D)";
  return success();
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
  if (failed(verifyInProjection(*this, embedDim)))
    return failure();
  if (static_cast<bool>(getBiasK()) != static_cast<bool>(getBiasV()))
    return emitOpError() << "bias_k and bias_v come together";
  for (Value bias : {getBiasK(), getBiasV()})
    if (bias && cast<RankedTensorType>(bias.getType()).getShape() !=
                    ArrayRef({int64_t(1), int64_t(1), embedDim}))
      return emitOpError() << "bias_k and bias_v must be 1x1x" << embedDim;
  if (failed(verifyMasks(*this)))
    return failure();
  if (auto padding = getKeyPaddingMask(); padding && padding.getType().getRank() != rank - 1)
    return emitOpError() << "key_padding_mask must have rank " << rank - 1 << " in order "
                         << stringifyOrder(getOrder());
  return verifyRegion(*this, getScore(), "score", regionTypes(getContext(), true, {}),
                      Builder(getContext()).getF32Type());
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyMasks(*this)) || failed(verifyAppended(*this)))
    return failure();
  return verifyRegion(*this, getScore(), "score", regionTypes(getContext(), true, {}),
                      Builder(getContext()).getF32Type());
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
  // Pairs may be padded.
  const bool fits = holdsPairs(getWeight().getType()) ? weight[1] * 2 >= depth : weight[1] == depth;
  if (!fits)
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
  if (failed(verifyAppended(*this)))
    return failure();
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

/// True when at most one use of a value runs: what is updated in place has no second reader.
static bool isTied(Value value) {
  SmallVector<Operation *> users(value.getUsers());
  for (auto [index, user] : llvm::enumerate(users))
    for (Operation *other : ArrayRef(users).drop_front(index + 1))
      if (!insideMutuallyExclusiveRegions(user, other))
        return false;
  return true;
}

/// What mha.scores and mha.logits have in common.
template <typename Op> static LogicalResult verifyScoring(Op op) {
  TileType query = op.getQuery().getType(), key = op.getKey().getType();
  if (query.getColumns() != key.getColumns())
    return op.emitOpError() << "query has depth " << query.getColumns() << ", key has "
                            << key.getColumns();
  if (op.getStats().getType().getRows() != query.getRows())
    return op.emitOpError() << "statistics must have " << query.getRows() << " rows";
  if (!isTied(op.getStats()))
    return op.emitOpError() << "must be the only use of its statistics, they are updated in place";
  SmallVector<Type> elements;
  for (Value tile : op.getTiles())
    elements.push_back(cast<TileType>(tile.getType()).getRegionElementType());
  return verifyScoreAndKeep(op, op.getScore(), op.getKeep(), elements);
}

LogicalResult ScoresOp::verify() {
  TileType query = getQuery().getType(), key = getKey().getType(), p = getP().getType();
  if (p.getRows() != query.getRows() || p.getColumns() != key.getRows())
    return emitOpError() << "p must be " << query.getRows() << "x" << key.getRows();
  if (getRescale().getType().getRows() != query.getRows())
    return emitOpError() << "rescale factors must have " << query.getRows() << " rows";
  return verifyScoring(*this);
}

LogicalResult LogitsOp::verify() {
  if (!getKey().getType().getPanel())
    return emitOpError() << "key must be a panel tile";
  if (getTarget().getType().getRank() != static_cast<int64_t>(getIndices().size()) ||
      getIndices().size() < 2)
    return emitOpError() << "takes one index a dimension of a target of at least two";
  return verifyScoring(*this);
}

/// What mha.save and mha.merge have in common; `outer` is the number of dimensions of parts.
template <typename Op> static LogicalResult verifyParts(Op op, int64_t outer) {
  MemRefType partials = op.getPartials().getType(), statistics = op.getStatistics().getType();
  const TileType acc = op.getAcc().getType();
  if (op.getStats().getType().getRows() != acc.getRows())
    return op.emitOpError() << "statistics must have " << acc.getRows() << " rows";
  if (partials.getRank() != static_cast<int64_t>(op.getIndices().size()) ||
      statistics.getRank() != static_cast<int64_t>(op.getStatisticsIndices().size()) ||
      partials.getRank() < 2 + outer || statistics.getRank() < 2 + outer)
    return op.emitOpError() << "takes one index a dimension of memrefs of at least " << 2 + outer;
  if (partials.getShape().back() != acc.getColumns() || statistics.getShape().back() != 2)
    return op.emitOpError() << "takes partials of " << acc.getColumns()
                            << " columns and statistics of 2";
  return success();
}

LogicalResult SaveOp::verify() { return verifyParts(*this, 0); }

LogicalResult MergeOp::verify() { return verifyParts(*this, 1); }

LogicalResult EmitPackedOp::verify() {
  MemRefType target = getTarget().getType();
  const int64_t least = getKind() == PackKind::Panel ? 4 : 2;
  if (target.getRank() != static_cast<int64_t>(getIndices().size()) || target.getRank() < least)
    return emitOpError() << "takes one index a dimension of a target of at least " << least;
  if (!holdsPairs(target) && !target.getElementType().isF32())
    return emitOpError() << "target must hold f32, or pairs, i32";
  return success();
}

LogicalResult AccumulateOp::verify() {
  TileType acc = getAcc().getType(), a = getA().getType(), b = getB().getType();
  if (!isTied(getAcc()))
    return emitOpError() << "must be the only use of its accumulator, it is updated in place";
  if (acc.getRows() != a.getRows() || acc.getColumns() != b.getColumns() ||
      a.getColumns() != b.getRows())
    return emitOpError() << "extents do not match: " << acc << " from " << a << " and " << b;
  if (!getB().getDefiningOp<LoadOp>())
    return emitOpError() << "b must come from a mha.load";
  if (getFewRows() && !getRescale())
    return emitOpError() << "of few rows needs rescale factors";
  return success();
}

} // namespace attune::mha
