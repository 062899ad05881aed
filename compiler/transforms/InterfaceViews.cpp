//===- InterfaceViews.cpp - Tensors of the interface, as tiles see them ---===//
#include "transforms/InterfaceViews.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace attune {

/// memref with run-time strides but for the innermost. A size of 0 is a run-time size, too: views
/// of what is statically empty are refused, though no call reaches them.
MemRefType interfaceType(RankedTensorType tensor) {
  SmallVector<int64_t> strides(tensor.getRank(), ShapedType::kDynamic);
  strides.back() = 1;
  SmallVector<int64_t> shape(tensor.getShape());
  std::replace(shape.begin(), shape.end(), int64_t(0), ShapedType::kDynamic);
  auto layout = StridedLayoutAttr::get(tensor.getContext(), 0, strides);
  return MemRefType::get(shape, tensor.getElementType(), layout);
}

Value rowsView(TileBuilder &tile, Value memref, Value rowCount) {
  OpBuilder &builder = tile.builder;
  auto type = cast<MemRefType>(memref.getType());
  if (type.getRank() == 2)
    return memref;
  // The interface guarantees evenly spaced rows; the stride of a dimension of size 1 means nothing.
  auto metadata = memref::ExtractStridedMetadataOp::create(builder, tile.loc, memref);
  Value inner = metadata.getConstifiedMixedSizes()[1].dyn_cast<Value>();
  if (!inner)
    inner = tile.constant(type.getDimSize(1));
  Value single =
      arith::CmpIOp::create(builder, tile.loc, arith::CmpIPredicate::eq, inner, tile.constant(1));
  Value stride = arith::SelectOp::create(builder, tile.loc, single, metadata.getStrides()[0],
                                         metadata.getStrides()[1]);
  const int64_t columns = type.getShape().back();
  auto layout = StridedLayoutAttr::get(builder.getContext(), 0, {ShapedType::kDynamic, 1});
  auto rows = MemRefType::get({ShapedType::kDynamic, columns}, type.getElementType(), layout);
  return memref::ReinterpretCastOp::create(builder, tile.loc, rows, metadata.getBaseBuffer(),
                                           builder.getIndexAttr(0),
                                           {OpFoldResult(rowCount), builder.getIndexAttr(columns)},
                                           {OpFoldResult(stride), builder.getIndexAttr(1)});
}

Value headsView(TileBuilder &tile, Value memref, const HeadsForm &form, int64_t first) {
  if (form.order == mha::Order::NHLD)
    return memref;
  OpBuilder &builder = tile.builder;
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<OpFoldResult> sizes = {form.batch, builder.getIndexAttr(form.heads), form.length,
                                     builder.getIndexAttr(form.headDim)};
  SmallVector<OpFoldResult> strides;
  Value base = memref;
  if (form.order == mha::Order::HLD) {
    auto metadata = memref::ExtractStridedMetadataOp::create(builder, tile.loc, memref);
    base = metadata.getBaseBuffer();
    strides = {metadata.getStrides()[0], metadata.getStrides()[0], metadata.getStrides()[1]};
  } else {
    const int64_t row = type.getStridesAndOffset().first[0];
    Value rowStride = tile.constant(row);
    if (form.order == mha::Order::LNE)
      strides = {builder.getIndexAttr(row), builder.getIndexAttr(form.headDim),
                 tile.multiply(form.batch, rowStride)};
    else
      strides = {tile.multiply(form.length, rowStride), builder.getIndexAttr(form.headDim),
                 builder.getIndexAttr(row)};
  }
  strides.push_back(builder.getIndexAttr(1));
  SmallVector<int64_t> shape, strideTypes;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  dispatchIndexOpFoldResults(strides, dynamic, strideTypes);
  auto layout = StridedLayoutAttr::get(builder.getContext(), first, strideTypes);
  return memref::ReinterpretCastOp::create(
      builder, tile.loc, MemRefType::get(shape, type.getElementType(), layout), base,
      OpFoldResult(builder.getIndexAttr(first)), sizes, strides);
}

} // namespace attune
