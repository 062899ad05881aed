//===- TileParameters.cpp - Packing of parameters as a program ------------===//
#include "transforms/TileParameters.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace attune {

Value packedView(TileBuilder &tile, Value packed, int64_t offset, RankedTensorType type) {
  OpBuilder &builder = tile.builder;
  SmallVector<int64_t> strides(type.getRank(), 1);
  for (int64_t k = type.getRank() - 2; k >= 0; --k)
    strides[k] = strides[k + 1] * type.getDimSize(k + 1);
  auto layout = StridedLayoutAttr::get(builder.getContext(), offset, strides);
  Value base = packed;
  if (mha::holdsPairs(type)) {
    auto pairs =
        MemRefType::get(cast<MemRefType>(packed.getType()).getShape(), builder.getI32Type());
    base = mha::AsPairsOp::create(builder, tile.loc, pairs, packed);
  }
  return memref::ReinterpretCastOp::create(
      builder, tile.loc, MemRefType::get(type.getShape(), type.getElementType(), layout), base,
      offset, type.getShape(), strides);
}

void buildPackWeight(TileBuilder &tile, mha::PackWeightOp op, Value weight, Value target) {
  auto shape = op.getResult().getType().getShape();
  const int64_t width = shape[2], first = op.getFirst(), columns = op.getColumns();
  tile.forall({tile.constant(shape[0])}, [&](ValueRange point) {
    Value zero = tile.constant(0);
    Value row = tile.apply(tile.d(0) * width + first, point[0]);
    Value count = tile.min({tile.builder.getAffineConstantExpr(width), columns - tile.d(0) * width},
                           point[0]);
    tile.pack(mha::PackKind::Panel, {weight, {row, zero}}, count, {target, {point[0], zero, zero}});
  });
}

/// A bias is one row that is padded to whole panels.
void buildPackBias(TileBuilder &tile, mha::PackBiasOp op, Value bias, Value packed, Value target) {
  OpBuilder &builder = tile.builder;
  auto asRow = [&](Value memref, int64_t offset, int64_t columns) -> Value {
    auto layout = StridedLayoutAttr::get(builder.getContext(), offset, {columns, 1});
    Type element = cast<MemRefType>(memref.getType()).getElementType();
    return memref::ReinterpretCastOp::create(
        builder, tile.loc, MemRefType::get({1, columns}, element, layout), memref, offset,
        ArrayRef<int64_t>{1, columns}, ArrayRef<int64_t>{columns, 1});
  };
  int64_t offset =
      cast<StridedLayoutAttr>(cast<MemRefType>(target.getType()).getLayout()).getOffset();
  Value source = asRow(bias, op.getFirst(), op.getColumns());
  Value row = asRow(packed, offset, op.getResult().getType().getDimSize(0));
  Value zero = tile.constant(0);
  tile.pack(mha::PackKind::Rows, {source, {zero, zero}}, tile.constant(1), {row, {zero, zero}});
}

void buildPackAppended(TileBuilder &tile, mha::PackAppendedOp op, Value bias, Value target) {
  OpBuilder &builder = tile.builder;
  mha::ClearOp::create(builder, tile.loc, target);
  if (!bias)
    return;
  auto shape = cast<RankedTensorType>(op.getAppended().getType()).getShape();
  auto layout = StridedLayoutAttr::get(builder.getContext(), 0, {shape[2], shape[2], 1});
  SmallVector<int64_t> sizes = {shape[0], 1, shape[2]};
  // The interface guarantees that the last dimension of (1, 1, E) is dense.
  Type element = cast<MemRefType>(bias.getType()).getElementType();
  Value heads =
      memref::ReinterpretCastOp::create(builder, tile.loc, MemRefType::get(sizes, element, layout),
                                        bias, 0, sizes, ArrayRef<int64_t>{shape[2], shape[2], 1});
  tile.forall({tile.constant(shape[0])}, [&](ValueRange head) {
    Value zero = tile.constant(0), one = tile.constant(1);
    SmallVector<Value> targetIndices(cast<MemRefType>(target.getType()).getRank(), zero);
    targetIndices[0] = head[0];
    tile.pack(op.getKind(), {heads, {head[0], zero, zero}}, one, {target, targetIndices});
  });
}

} // namespace attune
