//===- RegionTranslation.h - Score and keep regions as programs -*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_REGIONTRANSLATION_H
#define ATTUNE_CODEGEN_CPU_REGIONTRANSLATION_H

#include "codegen/cpu/kernels/RegionProgram.h"
#include "dialect/Mha.h"

namespace attune::cpu {

/// Translates a region of mha.scores. Index values that the region captures become scalar operands:
/// they are looked up in, or added to, `scalars`. An operation without a translation is an error at
/// it.
mlir::FailureOr<RegionProgram> translateRegion(mlir::Region &region, bool isScore,
                                               llvm::SmallVectorImpl<mlir::Value> &scalars);

} // namespace attune::cpu

#endif
