//===- AttentionTiling.cpp - What the tilings of attention share ----------===//
#include "transforms/AttentionTiling.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace attune {

/// Position in a row of key ranges: the first visible key, and one past the last.
enum RangeEnd : int64_t { kFirstKey = 0, kKeyLimit = 1 };

AttentionTiling::AttentionTiling(TileBuilder &tile, const AttentionStage &stage, int64_t queryTile,
                                 int64_t accColumns, bool allowsPairs)
    : tile(tile), builder(tile.builder), stage(stage), attend(stage.attend), loc(tile.loc),
      queryTile(queryTile), kvTile(tile.schedule.kvTile), panel(tile.schedule.keyPanel(tile.cpu)),
      accColumns(accColumns),
      pairs(allowsPairs && tile.multipliesPairs() && attend.getAppendedCount() == 0),
      regions(tile, stage), packValue(tile.schedule.packValue == PackValue::PerHead),
      keys(stage.packed.keys), values(stage.packed.values) {
  for (const KeepConjunct &conjunct : regions.conjuncts())
    if (conjunct.isPadding())
      padding = conjunct.mask;
  // Values of padded keys may hold anything, NaN included: only packing makes them zero. Kernels
  // multiply float32, or pairs.
  packValue = packValue || values || padding || pairs || !isFloat32(stage.value);
}

LogicalResult AttentionTiling::prepare() {
  if (failed(regions.check()))
    return failure();
  queryTiles = tile.ceilDiv(stage.targetLength, queryTile);
  kvTiles = tile.ceilDiv(stage.sourceLength, kvTile);
  if (padding)
    findKeyRanges();
  return success();
}

void AttentionTiling::prepareAs(const AttentionTiling &other) {
  queryTiles = tile.ceilDiv(stage.targetLength, queryTile);
  kvTiles = other.kvTiles;
  ranges = other.ranges;
}

mha::TileType AttentionTiling::tileType(int64_t rows, int64_t columns) {
  return mha::TileType::get(builder.getContext(), rows, columns, builder.getF32Type(), false);
}

Type AttentionTiling::operandType() {
  return pairs ? Type(builder.getBF16Type()) : builder.getF32Type();
}

mha::TileType AttentionTiling::operandTile(int64_t rows, int64_t columns, bool isPanel) {
  return mha::TileType::get(builder.getContext(), rows, columns, operandType(), isPanel);
}

//===--- Keys that padding hides -------------------------------------------===//

TileBuilder::Place AttentionTiling::paddingAt(Value batch, Value key) {
  SmallVector<Value> indices = regions.leadingIndices(padding, batch, tile.constant(0));
  indices.push_back(key);
  return {stage.memrefOf(padding.getSource()), indices};
}

void AttentionTiling::findKeyRanges() {
  ranges = tile.allocate({ShapedType::kDynamic, 2}, stage.batch, builder.getI32Type());
  tile.forall({stage.batch}, [&](ValueRange batch) {
    Value zero = tile.constant(0);
    TileBuilder::Place from = paddingAt(batch[0], zero);
    mha::KeyRangeOp::create(builder, loc, from.memref, from.indices, stage.sourceLength, ranges,
                            ValueRange{batch[0], zero});
  });
}

Value AttentionTiling::rangeEnd(Value batch, int64_t which, Value whole) {
  if (!padding)
    return whole;
  Value key = memref::LoadOp::create(builder, loc, ranges, ValueRange{batch, tile.constant(which)});
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), key);
}

//===--- Packing -----------------------------------------------------------===//

void AttentionTiling::allocatePacked(Value slots) {
  const PackedForm form = packedForm();
  keys = keysByTiles(tile, allocatePackedKeys(tile, form, slots, stage.sourceLength), slots,
                     stage.sourceLength);
  if (packValue)
    values = allocatePackedValues(tile, form, slots, stage.sourceLength);
}

void AttentionTiling::packTile(ValueRange point, Value slot) {
  Value zero = tile.constant(0);
  Value batch = point[0], head = point[1];
  Value first = tile.apply(tile.d(0) * kvTile, point[2]);
  Value limit = rangeEnd(batch, kKeyLimit, stage.sourceLength);
  Value left =
      tile.min({builder.getAffineConstantExpr(kvTile), tile.d(0) - tile.d(1)}, {limit, first});
  if (padding)
    left = arith::MaxSIOp::create(builder, loc, left, zero);
  tile.loop(zero, tile.ceilDiv(left, panel), [&](Value index) {
    Value row = tile.apply(tile.d(0) + tile.d(1) * panel, {first, index});
    Value count = tile.min({builder.getAffineConstantExpr(panel), tile.d(0) - tile.d(1) * panel},
                           {left, index});
    tile.pack(mha::PackKind::Panel, {stage.key, {batch, head, row, zero}}, count,
              {keys, {slot, point[2], index, zero, zero}});
  });
  if (packValue)
    tile.pack(mha::PackKind::Rows, {stage.value, {batch, head, first, zero}}, left,
              {values, {slot, valueRow(point[2]), zero}},
              padding ? paddingAt(batch, first) : TileBuilder::Place());
}

/// Where the packed values of kv tile t begin.
Value AttentionTiling::valueRow(Value t) {
  return tile.apply(tile.d(0) * (pairs ? kvTile / 2 : kvTile), t);
}

Value AttentionTiling::headNumber(Value batch, Value head) {
  return tile.apply(tile.d(0) + tile.d(1), {tile.multiply(batch, stage.heads), head});
}

//===--- Loops over kv tiles -----------------------------------------------===//

QueryTile AttentionTiling::queryTileAt(ValueRange point, Value slot, bool withRows) {
  QueryTile q;
  Value zero = tile.constant(0);
  q.batch = point[0], q.head = point[1], q.slot = slot;
  q.first = tile.apply(tile.d(0) * queryTile, point[2]);
  q.count = tile.min({builder.getAffineConstantExpr(queryTile), tile.d(0) - tile.d(1)},
                     {stage.targetLength, q.first});
  if (withRows)
    q.query = loadQuery(q);
  q.firstKey = rangeEnd(q.batch, kFirstKey, zero);
  q.keyLimit = rangeEnd(q.batch, kKeyLimit, stage.sourceLength);
  return q;
}

/// Queries of another type are converted once a tile.
Value AttentionTiling::loadQuery(const QueryTile &q) {
  Value zero = tile.constant(0);
  SmallVector<Value> place = {q.batch, q.head, q.first, zero};
  mha::TileType type = operandTile(queryTile, stage.headDim);
  if (isFloat32(stage.query) && !pairs)
    return tile.load(stage.query, place, q.count, {}, type);
  Value copy = tile.allocate({queryTile, packedForm().depth()}, {}, operandType());
  tile.pack(mha::PackKind::Rows, {stage.query, place}, q.count, {copy, {zero, zero}});
  return tile.load(copy, {zero, zero}, q.count, {}, type);
}

KvBounds AttentionTiling::kvBounds(const QueryTile &q) {
  KvBounds bounds;
  bounds.visible = visibleColumns(q, /*byAllRows=*/false);
  bounds.end = tile.ceilDiv(bounds.visible, kvTile);
  bounds.full = tile.apply(tile.d(0).floorDiv(kvTile), visibleColumns(q, /*byAllRows=*/true));
  bounds.first = tile.constant(0);
  if (padding) {
    bounds.first = tile.apply(tile.d(0).floorDiv(kvTile), q.firstKey);
    bounds.full = arith::MaxSIOp::create(builder, loc, bounds.full, bounds.first);
  }
  return bounds;
}

Value AttentionTiling::visibleColumns(const QueryTile &q, bool byAllRows) {
  SmallVector<AffineExpr> limits = {tile.d(2)};
  for (const KeepConjunct &conjunct : regions.conjuncts()) {
    if (!conjunct.bound)
      continue;
    // j <= f*i + c over i in [first, first + count): the loosest or the tightest row decides.
    const UpperBound &bound = *conjunct.bound;
    AffineExpr i = tile.d(0);
    if ((bound.queryFactor > 0) != byAllRows)
      i = tile.d(0) + tile.d(1) - 1;
    limits.push_back(i * bound.queryFactor + bound.offset + 1);
  }
  Value columns = tile.min(limits, {q.first, q.count, q.keyLimit});
  return arith::MaxSIOp::create(builder, loc, columns, tile.constant(0));
}

ValueRange AttentionTiling::kvLoop(Value from, Value to, ValueRange carried, KvStep step) {
  auto loop = scf::ForOp::create(builder, loc, from, to, tile.constant(1), carried,
                                 [&](OpBuilder &, Location, Value t, ValueRange state) {
                                   scf::YieldOp::create(builder, loc, step(t, state));
                                 });
  return loop.getResults();
}

Value AttentionTiling::columnsOf(Value t, Value visible) {
  if (!visible)
    return tile.constant(kvTile);
  return tile.min({builder.getAffineConstantExpr(kvTile), tile.d(0) - tile.d(1) * kvTile},
                  {visible, t});
}

//===--- Operands of tile operations ---------------------------------------===//

Value AttentionTiling::loadKey(const QueryTile &q, Value t, Value columns) {
  Value zero = tile.constant(0);
  return tile.load(keys, {q.slot, t, zero, zero, zero}, columns, {}, keyType());
}

Value AttentionTiling::loadValue(const QueryTile &q, Value t, Value columns, bool /*masked*/) {
  Value zero = tile.constant(0);
  mha::TileType type = operandTile(kvTile, accColumns);
  if (packValue)
    return tile.load(values, {q.slot, valueRow(t), zero}, columns, {}, type);
  Value first = tile.apply(tile.d(0) * kvTile, t);
  return tile.load(stage.value, {q.batch, q.head, first, zero}, columns, {}, type);
}

Value AttentionTiling::loadAppendedValue(const QueryTile &q) {
  Value zero = tile.constant(0);
  return tile.load(stage.memrefOf(attend.getAppendedValue()), {q.head, zero, zero}, appendedCount(),
                   {}, tileType(kvTile, accColumns));
}

Value AttentionTiling::loadElement(const QueryTile &q, mha::ElementOp element, Value first,
                                   Value columns) {
  const bool isPerKey = AttentionRegions::isPerKey(element);
  Value memref = stage.memrefOf(element.getSource());
  SmallVector<Value> indices = regions.leadingIndices(element, q.batch, q.head);
  if (cast<MemRefType>(memref.getType()).getRank() == 1) {
    memref = rowView(memref);
    indices.push_back(tile.constant(0));
  }
  if (!isPerKey)
    indices.push_back(q.first);
  indices.push_back(first);
  auto type = mha::TileType::get(builder.getContext(), isPerKey ? 1 : queryTile, kvTile,
                                 cast<MemRefType>(memref.getType()).getElementType(), false);
  return tile.load(memref, indices, isPerKey ? Value() : q.count, columns, type);
}

/// A dense mask of rank 1 as one row.
Value AttentionTiling::rowView(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> shape, strides;
  SmallVector<Value> dynamic;
  SmallVector<OpFoldResult> length = getAsOpFoldResult(ValueRange(stage.sourceLength));
  SmallVector<OpFoldResult> sizes = {builder.getIndexAttr(1), length[0]};
  SmallVector<OpFoldResult> steps = {length[0], builder.getIndexAttr(1)};
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  dispatchIndexOpFoldResults(steps, dynamic, strides);
  auto layout = StridedLayoutAttr::get(builder.getContext(), 0, strides);
  return memref::ReinterpretCastOp::create(builder, loc,
                                           MemRefType::get(shape, type.getElementType(), layout),
                                           memref, builder.getIndexAttr(0), sizes, steps);
}

AttentionTiling::ScoringOperands AttentionTiling::scoringOperands(const QueryTile &q, Value t,
                                                                  Value visible,
                                                                  RegionVariant variant) {
  ScoringOperands operands;
  operands.variant = variant;
  operands.firstKey = tile.apply(tile.d(0) * kvTile, t);
  operands.keyLimit = q.keyLimit;
  operands.columns = columnsOf(t, visible);
  operands.key = loadKey(q, t, operands.columns);
  for (mha::ElementOp element : regions.elements(variant))
    operands.tiles.push_back(loadElement(q, element, operands.firstKey, operands.columns));
  return operands;
}

AttentionTiling::ScoringOperands AttentionTiling::appendedOperands(const QueryTile &q) {
  ScoringOperands operands;
  operands.variant.appended = true;
  operands.firstKey = tile.constant(0);
  operands.keyLimit = operands.columns = appendedCount();
  Value zero = tile.constant(0);
  operands.key = tile.load(stage.memrefOf(attend.getAppendedKey()), {q.head, zero, zero, zero},
                           operands.columns, {}, keyType());
  return operands;
}

} // namespace attune
