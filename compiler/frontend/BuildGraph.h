//===- BuildGraph.h - Configuration to graph IR -----------------*- C++ -*-===//
#ifndef ATTUNE_COMPILER_FRONTEND_BUILDGRAPH_H
#define ATTUNE_COMPILER_FRONTEND_BUILDGRAPH_H

#include "frontend/Config.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace attune {

/// Builds the graph IR of a checked configuration: one function `forward` that holds one
/// mha.multihead_attention, or one mha.attention between views. Its arguments are the interface
/// tensors in the order of interfaceArguments (frontend/Interface.h), then the parameters, which
/// carry `mha.parameter`. Dimensions that the configuration leaves open are dynamic.
mlir::OwningOpRef<mlir::ModuleOp> buildGraph(const Config &config, mlir::MLIRContext &context);

} // namespace attune

#endif
