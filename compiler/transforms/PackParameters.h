//===- PackParameters.h - see PackParameters.td for what the pass does -----*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_PACK_PARAMETERS_H
#define ATTUNE_TRANSFORMS_PACK_PARAMETERS_H

#include "mlir/Pass/Pass.h"

namespace attune {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "transforms/PackParameters.h.inc"
} // namespace attune

#endif
