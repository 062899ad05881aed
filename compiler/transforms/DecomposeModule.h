//===- DecomposeModule.h - see DecomposeModule.td for what the pass does -----*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_DECOMPOSE_MODULE_H
#define ATTUNE_TRANSFORMS_DECOMPOSE_MODULE_H

#include "mlir/Pass/Pass.h"

namespace attune {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "transforms/DecomposeModule.h.inc"
} // namespace attune

#endif
