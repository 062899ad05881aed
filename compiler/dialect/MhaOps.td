//===- MhaOps.td - Everything of the mha dialect -----------*- tablegen -*-===//
include "dialect/GraphOps.td"
include "dialect/TileOps.td"
