//===- TileBuilder.cpp - What the builders of tile stages share -----------===//
#include "transforms/TileBuilder.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attune {

Value TileBuilder::constant(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value TileBuilder::apply(AffineExpr expression, ValueRange dims) {
  return affine::AffineApplyOp::create(builder, loc, AffineMap::get(dims.size(), 0, expression),
                                       dims);
}

Value TileBuilder::min(ArrayRef<AffineExpr> expressions, ValueRange dims) {
  return affine::AffineMinOp::create(
      builder, loc, AffineMap::get(dims.size(), 0, expressions, builder.getContext()), dims);
}

Value TileBuilder::multiply(Value a, Value b) { return arith::MulIOp::create(builder, loc, a, b); }

Value TileBuilder::ceilDiv(Value a, int64_t b) { return apply(d(0).ceilDiv(b), a); }

void TileBuilder::forall(ValueRange bounds, llvm::function_ref<void(ValueRange)> body) {
  SmallVector<OpFoldResult> upper(bounds.begin(), bounds.end());
  auto loop = scf::ForallOp::create(builder, loc, upper, ValueRange(), std::nullopt);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getTerminator());
  body(loop.getInductionVars());
}

void TileBuilder::loop(Value from, Value to, llvm::function_ref<void(Value)> body) {
  scf::ForOp::create(builder, loc, from, to, constant(1), ValueRange(),
                     [&](OpBuilder &, Location, Value index, ValueRange) {
                       body(index);
                       scf::YieldOp::create(builder, loc);
                     });
}

MemRefType TileBuilder::floats(ArrayRef<int64_t> shape) {
  return MemRefType::get(shape, builder.getF32Type());
}

Value TileBuilder::allocate(ArrayRef<int64_t> shape, ValueRange sizes, Type element) {
  auto type = MemRefType::get(shape, element ? element : builder.getF32Type());
  return memref::AllocOp::create(builder, loc, type, sizes, builder.getI64IntegerAttr(64));
}

Value TileBuilder::load(Value source, ValueRange indices, Value count, Value columns,
                        mha::TileType type) {
  return mha::LoadOp::create(builder, loc, type, source, indices, count, columns);
}

void TileBuilder::pack(mha::PackKind kind, const Place &source, Value count, const Place &target,
                       const Place &padding) {
  mha::PackOp::create(builder, loc, kind, source.memref, source.indices, count, target.memref,
                      target.indices, padding.memref, padding.indices);
}

Value TileBuilder::asFloat32(Value rows, Value count) {
  if (isFloat32(rows))
    return rows;
  const int64_t columns = cast<MemRefType>(rows.getType()).getShape().back();
  return copyRows(rows, count, allocate({ShapedType::kDynamic, columns}, count));
}

/// An odd number of cache lines, so that the same column of 16 rows lies in as many sets of a
/// cache.
static int64_t spreadStride(int64_t columns) {
  constexpr int64_t lineElements = 64 / 2;
  const int64_t lines = llvm::divideCeil(columns, lineElements);
  return (lines | 1) * lineElements;
}

Value TileBuilder::temporaryRows(Value count, int64_t columns) {
  if (!multipliesPairs())
    return allocate({ShapedType::kDynamic, columns}, count);
  const int64_t unit = schedule.projectionUnit(cpu);
  Value whole = apply(d(0).ceilDiv(unit) * unit, count);
  const int64_t stride = cpu.pairProducts == PairProducts::Tiles ? spreadStride(columns) : columns;
  Value memory = allocate({ShapedType::kDynamic, stride}, whole, builder.getBF16Type());
  if (stride == columns)
    return memory;
  auto index = [&](int64_t value) { return OpFoldResult(builder.getIndexAttr(value)); };
  return memref::SubViewOp::create(builder, loc, memory, {index(0), index(0)},
                                   {OpFoldResult(whole), index(columns)}, {index(1), index(1)});
}

Value TileBuilder::asPairs(Value rows, Value count) {
  auto type = cast<MemRefType>(rows.getType());
  const int64_t depth = llvm::alignTo(type.getShape().back(), pairTileDepth);
  const bool isTemporary =
      rows.getDefiningOp<memref::AllocOp>() || rows.getDefiningOp<memref::SubViewOp>();
  if (isTemporary && depth == type.getShape().back())
    return rows;
  return copyRows(rows, count, temporaryRows(count, depth));
}

/// All workers copy.
Value TileBuilder::copyRows(Value rows, Value count, Value copy) {
  // A block of rows is enough work to hand out.
  constexpr int64_t block = 32;
  forall(ceilDiv(count, block), [&](ValueRange point) {
    Value zero = constant(0), first = apply(d(0) * block, point[0]);
    Value left = min({builder.getAffineConstantExpr(block), d(0) - d(1)}, {count, first});
    pack(mha::PackKind::Rows, {rows, {first, zero}}, left, {copy, {first, zero}});
  });
  return copy;
}

} // namespace attune
