//===- KeepBounds.h - Loop bounds out of a keep region ----------*- C++ -*-===//
#ifndef ATTUNE_DIALECT_KEEPBOUNDS_H
#define ATTUNE_DIALECT_KEEPBOUNDS_H

#include "dialect/Mha.h"
#include <optional>

namespace attune {

/// The condition j <= queryFactor * i + offset, queryFactor in {-1, 0, 1}.
struct UpperBound {
  int64_t queryFactor = 0;
  int64_t offset = 0;
};

/// One conjunct of a keep region. Those that bound j from above give loop bounds; those that test
/// an element of a mask can be decided for a whole tile, or a range of keys; the others are opaque
/// and run on every tile.
struct KeepConjunct {
  mlir::Value value; ///< i1 inside the region
  std::optional<UpperBound> bound;
  mha::ElementOp mask; ///< the element that must be 0 (i8) or not -inf (f32), or null

  /// A bool mask: whole tiles of it may be visible or hidden.
  bool isBoolMask() const;
  /// A mask of (b, j) or (j) alone: it hides a key from every query of a batch element.
  bool isPadding() const;
};

/// Splits the yielded condition of a keep region (b, h, i, j) at its `arith.andi`s. An empty region
/// has no conjuncts.
llvm::SmallVector<KeepConjunct> keepConjuncts(mlir::Region &keep);

} // namespace attune

#endif
