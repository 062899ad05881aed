//===- PackedLayout.cpp - Where packed parameters lie ---------------------===//
#include "transforms/PackedLayout.h"

#include "dialect/Mha.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attune {

/// Packed tensors start at multiples of this many floats: 64 bytes.
static constexpr int64_t kPackedAlignment = 16;

/// Is this packed tensor one of appended keys or values? They come last.
static bool isAppended(Value packed) {
  return packed.getDefiningOp<mha::PackAppendedOp>() ||
         llvm::any_of(packed.getUsers(), [](Operation *user) { return isa<mha::AttendOp>(user); });
}

SmallVector<int64_t> packedOffsets(ValueRange values, int64_t appendedOffset, int64_t &size) {
  SmallVector<int64_t> offsets;
  size = 0;
  for (Value value : values) {
    if (isAppended(value))
      size = std::max(size, appendedOffset);
    offsets.push_back(size);
    size +=
        llvm::alignTo(cast<RankedTensorType>(value.getType()).getNumElements(), kPackedAlignment);
  }
  return offsets;
}

} // namespace attune
