//===- TileFewRows.cpp - Attention of a few query rows --------------------===//
#include "transforms/TileFewRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attune {

/// Appended keys are scored by the kernel for panels, which takes whole register blocks.
static int64_t rowsOfTile(const TileBuilder &tile, const AttentionStage &stage, int64_t rows) {
  const bool appends = mha::AttendOp(stage.attend).getAppendedCount() > 0;
  return appends ? llvm::alignTo(rows, tile.schedule.scores.rows) : rows;
}

FewRowsTiler::FewRowsTiler(TileBuilder &tile, const AttentionStage &stage, int64_t rows)
    : OnlineTiling(tile, stage, rowsOfTile(tile, stage, rows), stage.headDim) {}

void FewRowsTiler::allocate(Value used) {
  splits = tile.ceilDiv(stage.sourceLength, tile.schedule.splitKeys);
  Value slots = tile.multiply(stage.batch, stage.heads);
  Value workers = mha::WorkersOp::create(builder, loc, builder.getIndexType());
  if (used) {
    Value none = tile.constant(0);
    slots = arith::SelectOp::create(builder, loc, used, slots, none);
    workers = arith::SelectOp::create(builder, loc, used, workers, none);
  }
  const int64_t dynamic = ShapedType::kDynamic;
  partials = tile.allocate({dynamic, dynamic, queryTile, accColumns}, {slots, splits});
  statistics = tile.allocate({dynamic, dynamic, queryTile, 2}, {slots, splits});
  if (hasPadding())
    copies = tile.allocate({dynamic, kvTile, accColumns}, workers);
}

void FewRowsTiler::build() {
  tile.forall({stage.batch, stage.heads, splits}, [&](ValueRange point) { attendSplit(point); });
  tile.forall({stage.batch, stage.heads}, [&](ValueRange head) { mergeSplits(head); });
}

void FewRowsTiler::attendSplit(ValueRange point) {
  Value zero = tile.constant(0), split = point[2];
  QueryTile q = queryTileAt({point[0], point[1], zero}, /*slot=*/Value());
  KvBounds bounds = splitBounds(q, split);
  SmallVector<Value> fresh = start(), state = visitKeys(q, bounds, fresh);
  SmallVector<Value> place = {headNumber(q.batch, q.head), split, zero, zero};
  mha::SaveOp::create(builder, loc, state[0], state[1], partials, place, statistics, place,
                      q.count);
}

void FewRowsTiler::mergeSplits(ValueRange head) {
  Value zero = tile.constant(0);
  const bool appends = attend.getAppendedCount() > 0;
  QueryTile q = queryTileAt({head[0], head[1], zero}, /*slot=*/Value(), /*withRows=*/appends);
  SmallVector<Value> place = {headNumber(q.batch, q.head), zero, zero, zero};
  auto merged = mha::MergeOp::create(builder, loc, tileType(queryTile, accColumns), statsType(),
                                     partials, place, statistics, place, splits, q.count);
  finish(q, merged->getResults());
}

/// The bounds of all keys, cut to those of a split.
KvBounds FewRowsTiler::splitBounds(const QueryTile &q, Value split) {
  const int64_t tiles = tile.schedule.splitKeys / kvTile;
  KvBounds bounds = kvBounds(q);
  Value first = tile.apply(tile.d(0) * tiles, split);
  Value end = tile.apply(tile.d(0) * tiles + tiles, split);
  bounds.first = arith::MaxSIOp::create(builder, loc, bounds.first, first);
  bounds.end = arith::MinSIOp::create(builder, loc, bounds.end, end);
  bounds.full = arith::MinSIOp::create(builder, loc, bounds.full, end);
  bounds.full = arith::MaxSIOp::create(builder, loc, bounds.full, bounds.first);
  return bounds;
}

Value FewRowsTiler::loadKey(const QueryTile &q, Value t, Value columns) {
  Value first = tile.apply(tile.d(0) * kvTile, t);
  return tile.load(stage.key, {q.batch, q.head, first, tile.constant(0)}, columns, {},
                   rowsType(stage.key, stage.headDim));
}

/// Keys and values keep their type up to the registers.
mha::TileType FewRowsTiler::rowsType(Value memref, int64_t columns) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  return mha::TileType::get(builder.getContext(), kvTile, columns, element, /*panel=*/false);
}

/// Values of padded keys may hold anything, NaN included: zeros in a copy.
Value FewRowsTiler::loadValue(const QueryTile &q, Value t, Value columns, bool masked) {
  Value zero = tile.constant(0), first = tile.apply(tile.d(0) * kvTile, t);
  SmallVector<Value> place = {q.batch, q.head, first, zero};
  if (!hasPadding() || !masked)
    return tile.load(stage.value, place, columns, {}, rowsType(stage.value, accColumns));
  Value worker = mha::WorkerOp::create(builder, loc, builder.getIndexType());
  SmallVector<Value> copy = {worker, zero, zero};
  tile.pack(mha::PackKind::Rows, {stage.value, place}, columns, {copies, copy},
            paddingAt(q.batch, first));
  return tile.load(copies, copy, columns, {}, tileType(kvTile, accColumns));
}

} // namespace attune
