//===- OutlineParallel.h - see OutlineParallel.td for what the pass does -----*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_OUTLINE_PARALLEL_H
#define ATTUNE_TRANSFORMS_OUTLINE_PARALLEL_H

#include "mlir/Pass/Pass.h"

namespace attune {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "transforms/OutlineParallel.h.inc"
} // namespace attune

#endif
