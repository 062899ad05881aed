//===- AttentionTiling.h - What the tilings of attention share --*- C++ -*-===//
//
// Packing of keys and values, bounds of the kv loops, and the regions of tile operations: common to
// the online softmax (TileAttention.cpp) and to whole rows (TileAttentionWeights.cpp).
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TRANSFORMS_ATTENTIONTILING_H
#define ATTUNE_TRANSFORMS_ATTENTIONTILING_H

#include "transforms/AttentionRegions.h"
#include "transforms/PackedHeads.h"
#include "transforms/TileBuilder.h"

namespace attune {

/// What one query tile knows while its kv loops are built.
struct QueryTile {
  mlir::Value batch, head, slot, first, count;
  mlir::Value query;
  mlir::Value firstKey; ///< keys before it are hidden from the batch element
  mlir::Value keyLimit; ///< as are those from here on: S, or less with padding
};

/// Bounds of a query tile's kv loops, in tiles, and in keys.
struct KvBounds {
  mlir::Value first;   ///< first tile with a visible key
  mlir::Value full;    ///< tiles before it need no bound of keep
  mlir::Value end;     ///< tiles from here on have no visible key
  mlir::Value visible; ///< keys from here on are visible to no row
};

class AttentionTiling {
public:
  /// Tiles of `queryTile` rows, accumulators of `accColumns` columns. Products take pairs of
  /// bfloat16 where the code does so and the tiling `allowsPairs`.
  AttentionTiling(TileBuilder &tile, const AttentionStage &stage, int64_t queryTile,
                  int64_t accColumns, bool allowsPairs = false);
  virtual ~AttentionTiling() = default;

  /// Reads the regions of attend; builds views and key ranges that all query tiles share.
  mlir::LogicalResult prepare();
  /// Takes what another tiling of the same stage has prepared.
  void prepareAs(const AttentionTiling &other);

protected:
  /// Whether values of padded keys must be copied before they meet a probability of zero.
  bool hasPadding() const { return static_cast<bool>(padding); }
  /// Buffers for the packed keys (and values) of this many heads, a slot each.
  void allocatePacked(mlir::Value slots);
  /// Packs the keys, and the values if need be, of one kv tile (batch, head, tile).
  void packTile(mlir::ValueRange point, mlir::Value slot);

  /// The number of a head among those of all batch elements.
  mlir::Value headNumber(mlir::Value batch, mlir::Value head);

  /// The query tile of (batch, head, tile), with its rows or, where no key meets it, without.
  QueryTile queryTileAt(mlir::ValueRange point, mlir::Value slot, bool withRows = true);
  KvBounds kvBounds(const QueryTile &q);
  /// scf.for over kv tiles that carries values.
  using KvStep =
      llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value t, mlir::ValueRange state)>;
  mlir::ValueRange kvLoop(mlir::Value from, mlir::Value to, mlir::ValueRange carried, KvStep step);
  /// Keys of kv tile t to look at: all, or with `visible` those before it.
  mlir::Value columnsOf(mlir::Value t, mlir::Value visible);

  virtual mlir::Value loadKey(const QueryTile &q, mlir::Value t, mlir::Value columns);
  /// `masked`: some of the keys may be padded ones.
  virtual mlir::Value loadValue(const QueryTile &q, mlir::Value t, mlir::Value columns,
                                bool masked);
  mlir::Value loadAppendedValue(const QueryTile &q);
  mlir::Value appendedCount() { return tile.constant(attend.getAppendedCount()); }
  /// The tile of a mask at this query tile and the keys from `first` on.
  mlir::Value loadElement(const QueryTile &q, mha::ElementOp element, mlir::Value first,
                          mlir::Value columns);

  /// Operands at(b, h, i, j) count(rows, columns) and tiles of mha.scores and mha.logits.
  struct ScoringOperands {
    mlir::Value firstKey, columns, key;
    mlir::Value keyLimit; ///< keys from here on are hidden
    RegionVariant variant;
    llvm::SmallVector<mlir::Value> tiles;
  };
  ScoringOperands scoringOperands(const QueryTile &q, mlir::Value t, mlir::Value visible,
                                  RegionVariant variant);
  ScoringOperands appendedOperands(const QueryTile &q);

  mha::TileType tileType(int64_t rows, int64_t columns);
  /// A tile that is multiplied: of float32, or of bfloat16 in pairs.
  mha::TileType operandTile(int64_t rows, int64_t columns, bool isPanel = false);
  mha::TileType keyType() { return operandTile(kvTile, stage.headDim, /*isPanel=*/true); }
  mha::StatsType statsType() { return mha::StatsType::get(builder.getContext(), queryTile); }

  TileBuilder &tile;
  mlir::OpBuilder &builder;
  const AttentionStage &stage;
  mha::AttendOp attend;
  mlir::Location loc;
  const int64_t queryTile, kvTile, panel, accColumns;
  const bool pairs; ///< products take bfloat16 in pairs
  AttentionRegions regions;
  mlir::Value queryTiles, kvTiles;

  TileBuilder::Place paddingAt(mlir::Value batch, mlir::Value key);

private:
  mlir::Value loadQuery(const QueryTile &q);
  mlir::Value valueRow(mlir::Value t);
  mlir::Type operandType();
  PackedForm packedForm() const { return {stage.headDim, pairs}; }
  void findKeyRanges();
  mlir::Value rangeEnd(mlir::Value batch, int64_t which, mlir::Value whole);
  /// How many leading keys some row (or, byAllRows, every row) may see by the bounds of keep.
  mlir::Value visibleColumns(const QueryTile &q, bool byAllRows);
  mlir::Value rowView(mlir::Value memref);

  bool packValue;
  mlir::Value keys, values;
  mha::ElementOp padding; ///< the mask that hides keys from whole batch elements, or null
  mlir::Value ranges;     ///< first visible key and end a batch element, if there is padding
};

} // namespace attune

#endif
