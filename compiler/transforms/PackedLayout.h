//===- PackedLayout.h - Where packed parameters lie -------------*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_PACKEDLAYOUT_H
#define ATTUNE_TRANSFORMS_PACKEDLAYOUT_H

#include "mlir/IR/ValueRange.h"

namespace attune {

/// Offsets of packed tensors in the packed block, in floats, and its whole size. Appended keys and
/// values, which come last, start at `appendedOffset` at the earliest: their layout differs between
/// the targets of an object.
llvm::SmallVector<int64_t> packedOffsets(mlir::ValueRange values, int64_t appendedOffset,
                                         int64_t &size);

} // namespace attune

#endif
