//===- KeepBounds.h - Loop bounds out of a keep region ----------*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_KEEPBOUNDS_H
#define ATTUNE_TRANSFORMS_KEEPBOUNDS_H

#include "dialect/Mha.h"
#include <optional>

namespace attune {

/// The condition j <= queryFactor * i + offset, queryFactor in {-1, 0, 1}.
struct UpperBound {
  int64_t queryFactor = 0;
  int64_t offset = 0;
};

/// One conjunct of a keep region. Those that bound j from above give loop bounds; the others are
/// opaque and run on every tile.
struct KeepConjunct {
  mlir::Value value; ///< i1 inside the region
  std::optional<UpperBound> bound;
};

/// Splits the yielded condition of a keep region (b, h, i, j) at its `arith.andi`s. An empty region
/// has no conjuncts.
llvm::SmallVector<KeepConjunct> keepConjuncts(mlir::Region &keep);

} // namespace attune

#endif
