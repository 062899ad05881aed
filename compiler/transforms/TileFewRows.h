//===- TileFewRows.h - Attention of a few query rows ------------*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_TILEFEWROWS_H
#define ATTUNE_TRANSFORMS_TILEFEWROWS_H

#include "transforms/OnlineTiling.h"

namespace attune {

/// Attention of so few query rows, one tile, that its time is that of reading keys and values: they
/// are read once, where they lie. The keys of a head are split, so that there is work for every
/// worker; what the splits gave is merged in order. Splits depend on S alone.
class FewRowsTiler : public OnlineTiling {
public:
  /// For at most `rows` query rows.
  FewRowsTiler(TileBuilder &tile, const AttentionStage &stage, int64_t rows);

  /// Buffers for the results of all splits; with `used`, a condition of the call, false there are
  /// none; null stands for true.
  void allocate(mlir::Value used);
  void build();

private:
  bool hasFewRows() const override { return true; }
  mlir::Value loadKey(const QueryTile &q, mlir::Value t, mlir::Value columns) override;
  mlir::Value loadValue(const QueryTile &q, mlir::Value t, mlir::Value columns,
                        bool masked) override;
  void attendSplit(mlir::ValueRange point);
  void mergeSplits(mlir::ValueRange head);
  KvBounds splitBounds(const QueryTile &q, mlir::Value split);
  mha::TileType rowsType(mlir::Value memref, int64_t columns);

  mlir::Value splits;
  mlir::Value partials, statistics; ///< (N * H, splits, rows, D) and (.., 2)
  mlir::Value copies;               ///< a value tile a worker, where keys are padded
};

} // namespace attune

#endif
