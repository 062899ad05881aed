//===- PlanWorkspace.h - see PlanWorkspace.td for what the pass does -----*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_PLAN_WORKSPACE_H
#define ATTUNE_TRANSFORMS_PLAN_WORKSPACE_H

#include "mlir/Pass/Pass.h"

namespace attune {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "transforms/PlanWorkspace.h.inc"
} // namespace attune

#endif
