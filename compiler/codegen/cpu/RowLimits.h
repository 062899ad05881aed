//===- RowLimits.h - How many keys of a tile each query row sees -*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_ROWLIMITS_H
#define ATTUNE_CODEGEN_CPU_ROWLIMITS_H

#include "dialect/Mha.h"
#include <optional>

namespace attune::cpu {

/// Row r of a query tile sees the first min(visible, first + r * step) keys of a key tile.
struct RowLimits {
  mlir::Value visible, first; ///< may be negative; beyond the keys of the tile they mean all
  int step = 0;
};

/// Reads them out of a keep region that says no more than that, and builds their values; nothing
/// for an empty region or one that says something else.
std::optional<RowLimits> rowLimits(mha::ScoresOp op, mlir::OpBuilder &builder);

} // namespace attune::cpu

#endif
