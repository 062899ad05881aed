//===- FuseProjections.h - see FuseProjections.td for what the pass does -----*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_FUSE_PROJECTIONS_H
#define ATTUNE_TRANSFORMS_FUSE_PROJECTIONS_H

#include "mlir/Pass/Pass.h"

namespace attune {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "transforms/FuseProjections.h.inc"
} // namespace attune

#endif
