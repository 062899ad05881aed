//===- PackedHeads.h - Keys and values as attention reads them --*- C++ -*-===//
//
// Where products take pairs of bfloat16, attention reads keys in panels and values in pairs of
// rows. A projection can store its result there at once.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TRANSFORMS_PACKEDHEADS_H
#define ATTUNE_TRANSFORMS_PACKEDHEADS_H

#include "transforms/TileBuilder.h"

namespace attune {

/// Buffers for the pairs of `slots` heads: keys memref<slots x kvTiles x panels x depth / 2 x
/// panel>, values memref<slots x keys / 2 x columns>.
PackedHeads allocatePackedHeads(TileBuilder &tile, int64_t headDim, mlir::Value slots,
                                mlir::Value kvTiles);

/// Whether projections can store the keys and values of `attend` as it reads them, as far as the
/// graph says. Not where something else is wanted of them (appended keys, returned weights, zeros
/// for padded keys), and where heads or batch elements are not whole columns and rows.
bool takesPackedHeads(const TileBuilder &tile, mha::AttendOp attend, mha::Order order);

/// Stores the keys or values that a tile of a projection's result holds.
struct ResultTile {
  mlir::Value acc, bias;
  mlir::Value row, rowCount; ///< of the result
  mlir::Value column;
};
void emitPackedPart(TileBuilder &tile, const ProjectionStage &stage, const PackedPart &part,
                    const ResultTile &result);

} // namespace attune

#endif
