//===- TileProjection.cpp - A projection as a program over tiles ----------===//
#include "transforms/PackedHeads.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace attune {

/// Rows of the target, for `count` columns of the tile.
static void emitRows(TileBuilder &tile, const ProjectionStage &stage, const ResultTile &result,
                     Value count) {
  mha::EmitOp::create(tile.builder, tile.loc, result.acc, result.bias, stage.target,
                      ValueRange{result.row, result.column}, result.rowCount, count);
}

static void emitIf(TileBuilder &tile, Value condition, llvm::function_ref<void()> emit) {
  scf::IfOp::create(tile.builder, tile.loc, condition, [&](OpBuilder &, Location) {
    emit();
    scf::YieldOp::create(tile.builder, tile.loc);
  });
}

/// Parts, and rows for the columns that have some.
static void emit(TileBuilder &tile, const ProjectionStage &stage, const ResultTile &result) {
  OpBuilder &builder = tile.builder;
  AffineExpr width =
      builder.getAffineConstantExpr(cast<mha::TileType>(result.acc.getType()).getColumns());
  if (stage.parts.empty())
    return emitRows(tile, stage, result,
                    tile.min({width, stage.columns - tile.d(0)}, result.column));
  auto emitParts = [&] {
    for (const PackedPart &part : stage.parts)
      emitPackedPart(tile, stage, part, result);
  };
  Value columns = tile.constant(stage.columns);
  if (stage.rowsIfFew()) {
    Value few = hasFewRows(tile, stage.rowsIfFew());
    Value yes = arith::ConstantIntOp::create(builder, tile.loc, 1, 1);
    emitIf(tile, arith::XOrIOp::create(builder, tile.loc, few, yes), emitParts);
    const int64_t all = cast<MemRefType>(stage.target.getType()).getShape().back();
    columns = arith::SelectOp::create(builder, tile.loc, few, tile.constant(all), columns);
  } else {
    emitParts();
  }
  if (!stage.target)
    return;
  Value hasRows =
      arith::CmpIOp::create(builder, tile.loc, arith::CmpIPredicate::slt, result.column, columns);
  emitIf(tile, hasRows, [&] {
    emitRows(tile, stage, result,
             tile.min({width, tile.d(0) - tile.d(1)}, {columns, result.column}));
  });
}

/// One tile of the result: the sum over depth blocks, then the bias, stored where it is wanted.
static void buildProjectionTile(TileBuilder &tile, const ProjectionStage &stage, Value rowTile,
                                Value panel) {
  OpBuilder &builder = tile.builder;
  Type f32 = builder.getF32Type();
  const bool pairs = tile.multipliesPairs();
  Type operand = pairs ? builder.getBF16Type() : f32;
  MLIRContext *context = builder.getContext();
  const int64_t width = cast<MemRefType>(stage.weight.getType()).getShape()[2];
  const int64_t depth = cast<MemRefType>(stage.x.getType()).getShape()[1];
  const int64_t rowBlock = tile.schedule.projectionRows;
  const int64_t depthBlock = tile.schedule.projectionDepth;

  Value row = tile.apply(tile.d(0) * rowBlock, rowTile);
  Value rowCount =
      tile.min({builder.getAffineConstantExpr(rowBlock), tile.d(0) - tile.d(1)}, {stage.rows, row});
  Value column = tile.apply(tile.d(0) * width, panel);
  auto accType = mha::TileType::get(context, rowBlock, width, f32, false);
  Value zero = mha::ZeroOp::create(builder, tile.loc, accType);
  Value first = tile.constant(0);
  auto accumulate = [&](Value acc, Value k) -> Value {
    Value left = tile.min({builder.getAffineConstantExpr(depthBlock), depth - tile.d(0)}, k);
    Value x = tile.load(stage.x, {row, k}, rowCount, left,
                        mha::TileType::get(context, rowBlock, depthBlock, operand, false));
    Value weightRow = pairs ? tile.apply(tile.d(0).floorDiv(2), k) : k;
    Value w = tile.load(stage.weight, {panel, weightRow, first}, left, {},
                        mha::TileType::get(context, depthBlock, width, operand, false));
    return mha::AccumulateOp::create(builder, tile.loc, accType, acc, Value(), x, w,
                                     /*projection=*/true);
  };
  // The first block starts with zeros, which its product need not read.
  Value acc = accumulate(zero, first);
  if (depth > depthBlock)
    acc = scf::ForOp::create(builder, tile.loc, tile.constant(depthBlock), tile.constant(depth),
                             tile.constant(depthBlock), acc,
                             [&](OpBuilder &, Location loc, Value k, ValueRange carried) {
                               scf::YieldOp::create(builder, loc, accumulate(carried[0], k));
                             })
              .getResult(0);
  Value bias;
  if (stage.bias)
    bias = memref::SubViewOp::create(builder, tile.loc, stage.bias, {OpFoldResult(column)},
                                     {OpFoldResult(builder.getIndexAttr(width))},
                                     {OpFoldResult(builder.getIndexAttr(1))});
  emit(tile, stage, {acc, bias, row, rowCount, column});
}

void buildProjection(TileBuilder &tile, const ProjectionStage &stage) {
  const int64_t panels = cast<MemRefType>(stage.weight.getType()).getShape()[0];
  Value rowTiles = tile.ceilDiv(stage.rows, tile.schedule.projectionRows);
  tile.forall({rowTiles, tile.constant(panels)},
              [&](ValueRange point) { buildProjectionTile(tile, stage, point[0], point[1]); });
}

} // namespace attune
