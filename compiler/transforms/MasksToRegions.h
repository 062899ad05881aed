//===- MasksToRegions.h - see MasksToRegions.td for what the pass does -----*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_MASKS_TO_REGIONS_H
#define ATTUNE_TRANSFORMS_MASKS_TO_REGIONS_H

#include "mlir/Pass/Pass.h"

namespace attune {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "transforms/MasksToRegions.h.inc"
} // namespace attune

#endif
