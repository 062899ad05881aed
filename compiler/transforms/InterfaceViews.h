//===- InterfaceViews.h - Tensors of the interface as tiles see them -*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_INTERFACEVIEWS_H
#define ATTUNE_TRANSFORMS_INTERFACEVIEWS_H

#include "dialect/Mha.h"
#include "transforms/TileBuilder.h"

namespace attune {

/// memref with run-time strides but for the innermost. A size of 0 is a run-time size, too: views
/// of what is statically empty are refused, though no call reaches them.
mlir::MemRefType interfaceType(mlir::RankedTensorType tensor);

/// An interface tensor, or a temporary of rows, as rows (rowCount, K).
mlir::Value rowsView(TileBuilder &tile, mlir::Value memref, mlir::Value rowCount);

/// Sizes of a tensor of heads (N, H, length, D).
struct HeadsForm {
  mha::Order order; ///< of the interface
  mlir::Value batch;
  int64_t heads;
  mlir::Value length;
  int64_t headDim;
};
/// Rows, whose columns from `first` on are the heads, or an interface tensor of heads, as
/// (N, H, length, D).
mlir::Value headsView(TileBuilder &tile, mlir::Value memref, const HeadsForm &form, int64_t first);

} // namespace attune

#endif
