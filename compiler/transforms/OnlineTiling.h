//===- OnlineTiling.h - The online softmax over kv tiles --------*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_ONLINETILING_H
#define ATTUNE_TRANSFORMS_ONLINETILING_H

#include "transforms/AttentionTiling.h"

namespace attune {

/// The steps of one query tile along the keys: common to query tiles with packed keys
/// (TileAttention.cpp) and to a few rows that read keys where they lie (TileFewRows.cpp).
class OnlineTiling : public AttentionTiling {
protected:
  using AttentionTiling::AttentionTiling;

  /// State before any key: a fresh accumulator and its statistics.
  llvm::SmallVector<mlir::Value> start();
  /// Takes the state over the kv tiles that bounds name.
  llvm::SmallVector<mlir::Value> visitKeys(const QueryTile &q, const KvBounds &bounds,
                                           mlir::ValueRange state);
  /// Takes it over the appended keys, if there are any, and stores the result.
  void finish(const QueryTile &q, llvm::SmallVector<mlir::Value> state);

  /// Whether keys are used by so few rows that values should be read once.
  virtual bool hasFewRows() const { return false; }

private:
  llvm::SmallVector<mlir::Value> visit(const QueryTile &q, mlir::Value t, mlir::ValueRange state,
                                       mlir::Value visible);
  std::pair<mlir::Value, mlir::Value> classify(const QueryTile &q, mlir::Value t,
                                               mlir::Value visible,
                                               llvm::ArrayRef<mha::ElementOp> masks);
  using Branch = llvm::function_ref<llvm::SmallVector<mlir::Value>()>;
  llvm::SmallVector<mlir::Value> branch(mlir::Value condition, Branch then, Branch otherwise);
  llvm::SmallVector<mlir::Value> stepOnTile(const QueryTile &q, mlir::Value t,
                                            mlir::ValueRange state, mlir::Value visible,
                                            RegionVariant variant);
  llvm::SmallVector<mlir::Value> step(const QueryTile &q, const ScoringOperands &operands,
                                      mlir::ValueRange state, mlir::Value value);
};

} // namespace attune

#endif
