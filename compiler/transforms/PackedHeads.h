//===- PackedHeads.h - Keys and values as attention reads them --*- C++ -*-===//
//
// Attention reads keys in panels and values head by head; in pairs, where products take bfloat16. A
// projection can store its result there at once.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TRANSFORMS_PACKEDHEADS_H
#define ATTUNE_TRANSFORMS_PACKEDHEADS_H

#include "transforms/TileBuilder.h"

namespace attune {

/// What decides the form of packed keys and values.
struct PackedForm {
  int64_t headDim;
  bool pairs; ///< of bfloat16, as i32; else float32
  mlir::Type type(TileBuilder &tile) const;
  /// Of products of queries and keys: head_dim, of pairs in whole tiles.
  int64_t depth() const;
};

/// Buffers for the keys or values of so many heads: keys memref<panels x 1 x depth x panel>, the
/// panels of one head after those of another; values memref<heads x keys x columns>; of pairs half
/// the depth and half the keys. They are as long as the keys, not as kv tiles, which of short
/// sequences would be mostly empty; the last tile may reach into the next head.
mlir::Value allocatePackedKeys(TileBuilder &tile, PackedForm form, mlir::Value heads,
                               mlir::Value length);
mlir::Value allocatePackedValues(TileBuilder &tile, PackedForm form, mlir::Value heads,
                                 mlir::Value length);
/// The keys as attention loads them, (heads, kv tiles, panels of a tile, depth, panel).
mlir::Value keysByTiles(TileBuilder &tile, mlir::Value keys, mlir::Value heads, mlir::Value length);

/// Both, for projections to store there. Of calls with few rows of the target length `rowsIfFew`,
/// if there is one, they are empty.
PackedHeads allocatePackedHeads(TileBuilder &tile, int64_t headDim, mlir::Value heads,
                                mlir::Value length, mlir::Value rowsIfFew);

/// Whether projections can store the keys and values of `attend` as it reads them, as far as the
/// graph says. Not where values of padded keys must be zero, and where heads or batch elements are
/// not whole columns and rows; of pairs, not with appended keys.
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
