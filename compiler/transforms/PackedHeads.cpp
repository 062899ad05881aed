//===- PackedHeads.cpp - Keys and values as attention reads them ----------===//
#include "transforms/PackedHeads.h"

#include "dialect/KeepBounds.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attune {

Type PackedForm::type(TileBuilder &tile) const {
  return pairs ? Type(tile.builder.getI32Type()) : tile.builder.getF32Type();
}

int64_t PackedForm::depth() const {
  return pairs ? llvm::alignTo(headDim, pairTileDepth) : headDim;
}

Value allocatePackedKeys(TileBuilder &tile, PackedForm form, Value heads, Value length) {
  const int64_t panel = tile.schedule.keyPanel(tile.cpu);
  Value panels = tile.multiply(heads, tile.ceilDiv(length, panel));
  Value all = tile.apply(tile.d(0) + (tile.schedule.kvTile / panel - 1), panels);
  const int64_t depth = form.pairs ? form.depth() / 2 : form.depth();
  return tile.allocate({ShapedType::kDynamic, 1, depth, panel}, all, form.type(tile));
}

Value allocatePackedValues(TileBuilder &tile, PackedForm form, Value heads, Value length) {
  const int64_t dynamic = ShapedType::kDynamic;
  const int64_t columns = tile.schedule.paddedHeadDim(tile.cpu, form.headDim);
  Value rows = form.pairs
                   ? tile.apply(tile.d(0).ceilDiv(pairTileDepth) * (pairTileDepth / 2), length)
                   : length;
  return tile.allocate({dynamic, dynamic, columns}, {heads, rows}, form.type(tile));
}

PackedHeads allocatePackedHeads(TileBuilder &tile, int64_t headDim, Value heads, Value length,
                                Value rowsIfFew) {
  if (rowsIfFew)
    heads = arith::SelectOp::create(tile.builder, tile.loc, hasFewRows(tile, rowsIfFew),
                                    tile.constant(0), heads);
  const PackedForm form = {headDim, tile.multipliesPairs()};
  Value keys = allocatePackedKeys(tile, form, heads, length);
  return {keys, allocatePackedValues(tile, form, heads, length), heads, rowsIfFew};
}

Value keysByTiles(TileBuilder &tile, Value keys, Value heads, Value length) {
  OpBuilder &builder = tile.builder;
  auto type = cast<MemRefType>(keys.getType());
  ArrayRef<int64_t> shape = type.getShape();
  const int64_t depth = shape[2], panel = shape[3], panels = tile.schedule.kvTile / panel;
  SmallVector<int64_t> sizes = {ShapedType::kDynamic, ShapedType::kDynamic, panels, depth, panel};
  SmallVector<int64_t> strides = {ShapedType::kDynamic, panels * depth * panel, depth * panel,
                                  panel, 1};
  Value stride = tile.apply(tile.d(0).ceilDiv(panel) * (depth * panel), length);
  auto layout = StridedLayoutAttr::get(builder.getContext(), 0, strides);
  return memref::ReinterpretCastOp::create(
      builder, tile.loc, MemRefType::get(sizes, type.getElementType(), layout), keys,
      OpFoldResult(builder.getIndexAttr(0)),
      getMixedValues(sizes, {heads, tile.ceilDiv(length, tile.schedule.kvTile)}, builder),
      getMixedValues(strides, stride, builder));
}

/// Whether `heads` is a part of a projection's result that nothing else reads.
static bool isOwnPart(Value heads) {
  auto split = heads.getDefiningOp<mha::SplitHeadsOp>();
  return split && heads.hasOneUse() && split.getX().getDefiningOp<mha::ProjectOp>();
}

bool takesPackedHeads(const TileBuilder &tile, mha::AttendOp attend, mha::Order order) {
  // In order lne the keys of a batch element are too far apart in a tile of rows.
  const bool followEachOther = order == mha::Order::NLE || order == mha::Order::LE;
  const int64_t headDim = cast<RankedTensorType>(attend.getKey().getType()).getDimSize(3);
  // Pairs have halves in one part each, and no form of appended keys.
  const bool fitsPairs = headDim % 2 == 0 && attend.getAppendedCount() == 0;
  return followEachOther && (fitsPairs || !tile.multipliesPairs()) && isOwnPart(attend.getKey()) &&
         isOwnPart(attend.getValue()) &&
         llvm::none_of(keepConjuncts(attend.getKeep()),
                       [](const KeepConjunct &conjunct) { return conjunct.isPadding(); });
}

namespace {
/// Stores what a tile of the result has of one part: batch element by batch element, head by head.
class PartEmitter {
public:
  PartEmitter(TileBuilder &tile, const ProjectionStage &stage, const PackedPart &part,
              const ResultTile &result)
      : tile(tile), stage(stage), part(part), result(result),
        width(cast<mha::TileType>(result.acc.getType()).getColumns()) {}

  void build() {
    OpBuilder &builder = tile.builder;
    rowEnd = tile.apply(tile.d(0) + tile.d(1), {result.row, result.rowCount});
    Value firstBatch = arith::DivSIOp::create(builder, tile.loc, result.row, stage.length);
    Value endBatch = arith::CeilDivSIOp::create(builder, tile.loc, rowEnd, stage.length);
    Value firstColumn = atLeastZero(tile.apply(tile.d(0) - part.first, result.column));
    Value firstHead = tile.apply(tile.d(0).floorDiv(part.headDim), firstColumn);
    Value endColumn = tile.min({tile.d(0) + (width - part.first),
                                builder.getAffineConstantExpr(part.heads * part.headDim)},
                               result.column);
    Value endHead = tile.ceilDiv(endColumn, part.headDim);
    tile.loop(firstBatch, endBatch, [&](Value batch) {
      tile.loop(firstHead, endHead, [&](Value head) { emit(batch, head); });
    });
  }

private:
  Value atLeastZero(Value value) {
    return arith::MaxSIOp::create(tile.builder, tile.loc, value, tile.constant(0));
  }
  Value minus(Value a, Value b) { return tile.apply(tile.d(0) - tile.d(1), {a, b}); }
  /// `filled` where `end` is the last there is, else `end`.
  Value fillEnd(Value end, Value last, Value filled) {
    Value isLast =
        arith::CmpIOp::create(tile.builder, tile.loc, arith::CmpIPredicate::eq, end, last);
    return arith::SelectOp::create(tile.builder, tile.loc, isLast, filled, end);
  }

  void emit(Value batch, Value head) {
    const bool panel = part.kind == mha::PackKind::Panel;
    auto shape = cast<MemRefType>(part.target.getType()).getShape();
    // Keys of this batch element, and elements of this head.
    Value before = tile.multiply(batch, stage.length);
    Value key = atLeastZero(minus(result.row, before));
    Value keyEnd =
        arith::MinSIOp::create(tile.builder, tile.loc, minus(rowEnd, before), stage.length);
    Value origin = tile.apply(tile.d(0) * part.headDim + part.first, head);
    Value depth = atLeastZero(minus(result.column, origin));
    Value depthEnd =
        tile.min({tile.d(0) - tile.d(1) + width, tile.builder.getAffineConstantExpr(part.headDim)},
                 {result.column, origin});
    // The last of them fill tiles of pairs, which meet probabilities of zero. Scores of keys that
    // are not there reach no result: those of the last vector are zeros so that lines are whole.
    const bool pairs = tile.multipliesPairs();
    const int64_t unit = panel ? tile.cpu.vectorLanes : pairs ? pairTileDepth : 1;
    const int64_t depths = panel ? (pairs ? 2 : 1) * shape[shape.size() - 2] : shape.back();
    Value fillKeys =
        fillEnd(keyEnd, stage.length, tile.apply(tile.d(0).ceilDiv(unit) * unit, stage.length));
    Value fillDepths = fillEnd(depthEnd, tile.constant(part.headDim), tile.constant(depths));
    SmallVector<Value> indices(shape.size(), tile.constant(0));
    indices[0] = tile.apply(tile.d(0) * part.heads + tile.d(1), {batch, head});
    if (panel)
      indices[0] = tile.multiply(indices[0], tile.ceilDiv(stage.length, shape.back()));
    mha::EmitPackedOp::create(
        tile.builder, tile.loc, part.kind, result.acc,
        tile.apply(tile.d(0) + tile.d(1) - tile.d(2), {before, key, result.row}),
        tile.apply(tile.d(0) + tile.d(1) - tile.d(2), {origin, depth, result.column}), result.bias,
        part.target, indices, key, depth, minus(keyEnd, key), minus(depthEnd, depth),
        minus(fillKeys, key), minus(fillDepths, depth));
  }

  TileBuilder &tile;
  const ProjectionStage &stage;
  const PackedPart &part;
  const ResultTile &result;
  const int64_t width;
  Value rowEnd;
};
} // namespace

void emitPackedPart(TileBuilder &tile, const ProjectionStage &stage, const PackedPart &part,
                    const ResultTile &result) {
  PartEmitter(tile, stage, part, result).build();
}

} // namespace attune
