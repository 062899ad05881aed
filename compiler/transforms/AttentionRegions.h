//===- AttentionRegions.h - Regions of attend on tiles ----------*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_ATTENTIONREGIONS_H
#define ATTUNE_TRANSFORMS_ATTENTIONREGIONS_H

#include "dialect/KeepBounds.h"
#include "mlir/IR/IRMapping.h"
#include "transforms/TileBuilder.h"

namespace attune {

/// What a scoring operation on one kind of tile needs of keep.
struct RegionVariant {
  bool runsBounds = false; ///< the conjuncts that are bounds of j, and j < keyLimit
  bool runsMasks = true;   ///< the bool masks
  bool appended = false;   ///< no region of attend, only j < keyLimit
};

/// The regions of one mha.attend, cloned into mha.scores and mha.logits.
class AttentionRegions {
public:
  AttentionRegions(TileBuilder &tile, const AttentionStage &stage);

  /// Checks that every tensor is read at (.., i, j) or (.., j), with leading indices of b and h.
  mlir::LogicalResult check();

  llvm::ArrayRef<KeepConjunct> conjuncts() const { return keep; }
  /// The elements that a variant reads, each once: the order of its tile operands.
  llvm::SmallVector<mha::ElementOp> elements(const RegionVariant &variant);
  /// True when `element` does not depend on i.
  static bool isPerKey(mha::ElementOp element);
  /// Values of an element's indices in front of (i, j) or (j), for one b and h.
  llvm::SmallVector<mlir::Value> leadingIndices(mha::ElementOp element, mlir::Value batch,
                                                mlir::Value head);

  /// Fills the regions of a scoring operation whose tile operands are elements(variant).
  template <typename Op> void build(Op op, const RegionVariant &variant, mlir::Value keyLimit) {
    buildScore(op.getScore(), op.getTiles(), variant);
    buildKeep(op.getKeep(), op.getTiles(), variant, keyLimit);
  }

private:
  bool takes(const KeepConjunct &conjunct, const RegionVariant &variant) const;
  void buildScore(mlir::Region &region, mlir::ValueRange tiles, const RegionVariant &variant);
  void buildKeep(mlir::Region &region, mlir::ValueRange tiles, const RegionVariant &variant,
                 mlir::Value keyLimit);
  mlir::IRMapping startRegion(mlir::Region &from, mlir::Region &to, mlir::ValueRange tiles);
  mlir::Value clone(mlir::Value value, mlir::IRMapping &mapping);

  mlir::OpBuilder &builder;
  const AttentionStage &stage;
  mha::AttendOp attend;
  mlir::Location loc;
  llvm::SmallVector<KeepConjunct> keep;
  llvm::SmallVector<mha::ElementOp> operands;           ///< of the region being built
  llvm::ArrayRef<mlir::BlockArgument> operandArguments; ///< their values in it
};

} // namespace attune

#endif
