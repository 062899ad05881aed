//===- TileParameters.h - Packing of parameters as a program ----*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_TILEPARAMETERS_H
#define ATTUNE_TRANSFORMS_TILEPARAMETERS_H

#include "transforms/TileBuilder.h"

namespace attune {

/// A static view of the packed block.
mlir::Value packedView(TileBuilder &tile, mlir::Value packed, int64_t offset,
                       mlir::RankedTensorType type);
/// Columns of a weight into panels, all workers.
void buildPackWeight(TileBuilder &tile, mha::PackWeightOp op, mlir::Value weight,
                     mlir::Value target);
/// A bias into its place in `packed`, the whole block, of which `target` is a view.
void buildPackBias(TileBuilder &tile, mha::PackBiasOp op, mlir::Value bias, mlir::Value packed,
                   mlir::Value target);
/// Appended keys or values: zeros, and over them the bias's row of each head, if there is one.
void buildPackAppended(TileBuilder &tile, mha::PackAppendedOp op, mlir::Value bias,
                       mlir::Value target);

} // namespace attune

#endif
