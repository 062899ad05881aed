//===- ScoreRegion.h - A score expression as a region -----------*- C++ -*-===//
#ifndef ATTUNE_COMPILER_FRONTEND_SCOREREGION_H
#define ATTUNE_COMPILER_FRONTEND_SCOREREGION_H

#include "frontend/Config.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Region.h"

namespace attune {

/// Fills the empty score region of mha.multihead_attention or mha.attention with the expression of
/// a checked configuration: operations of arith and math on f32. Without an expression, and for
/// `s`, the region stays empty.
void buildScoreRegion(const Config &config, mlir::Region &region, mlir::Location loc);

} // namespace attune

#endif
