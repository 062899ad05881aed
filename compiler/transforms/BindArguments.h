//===- BindArguments.h - see BindArguments.td for what the pass does -----*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_BIND_ARGUMENTS_H
#define ATTUNE_TRANSFORMS_BIND_ARGUMENTS_H

#include "mlir/Pass/Pass.h"

namespace attune {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "transforms/BindArguments.h.inc"
} // namespace attune

#endif
