//===- TileGraph.h - see TileGraph.td for what the pass does -----*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_TILE_GRAPH_H
#define ATTUNE_TRANSFORMS_TILE_GRAPH_H

#include "mlir/Pass/Pass.h"

namespace attune {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "transforms/TileGraph.h.inc"
} // namespace attune

#endif
