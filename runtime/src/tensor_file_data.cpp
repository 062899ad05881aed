//===- tensor_file_data.cpp - Tensors in memory that came from a file -------------------------===//

#include "tensor_file_data.h"

#include "tensor_file_text.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace attune::runtime {

AlignedBlock allocateAligned(uint64_t Bytes) {
  AlignedBlock Block(static_cast<std::byte *>(
      std::aligned_alloc(ATTUNE_ALIGNMENT, std::max<uint64_t>(roundUp(Bytes), ATTUNE_ALIGNMENT))));
  if (!Block)
    throw std::bad_alloc();
  return Block;
}

bool denseBytes(attune_dtype Dtype, int32_t Rank, const int64_t *Sizes, uint64_t &Bytes) {
  // Zeros count as one at first: a size beside a zero must not overflow later arithmetic either.
  int64_t Product = static_cast<int64_t>(attune_dtype_size(Dtype));
  bool Empty = false;
  for (int32_t I = 0; I < Rank; ++I) {
    Empty |= Sizes[I] == 0;
    if (Sizes[I] < 0 || __builtin_mul_overflow(Product, Sizes[I] == 0 ? 1 : Sizes[I], &Product))
      return false;
  }
  Bytes = Empty ? 0 : static_cast<uint64_t>(Product);
  return true;
}

/// Copies the elements below dimension \p Dimension and gives the end of what was written.
template <typename Element>
static std::byte *copyFrom(const attune_tensor &Tensor, int32_t Dimension, const std::byte *From,
                           std::byte *Target) {
  if (Dimension == Tensor.rank) {
    std::memcpy(Target, From, sizeof(Element));
    return Target + sizeof(Element);
  }
  int64_t Size = Tensor.sizes[Dimension], Stride = Tensor.strides[Dimension];
  if (Dimension == Tensor.rank - 1) {
    for (int64_t I = 0; I < Size; ++I)
      std::memcpy(Target + I * sizeof(Element), From + I * Stride * sizeof(Element),
                  sizeof(Element));
    return Target + Size * sizeof(Element);
  }
  for (int64_t I = 0; I < Size; ++I)
    Target = copyFrom<Element>(Tensor, Dimension + 1, From + I * Stride * sizeof(Element), Target);
  return Target;
}

void copyDense(const attune_tensor &Tensor, std::byte *Target) {
  const auto *From = static_cast<const std::byte *>(Tensor.data);
  switch (attune_dtype_size(Tensor.dtype)) {
  case 1:
    copyFrom<uint8_t>(Tensor, 0, From, Target);
    return;
  case 2:
    copyFrom<uint16_t>(Tensor, 0, From, Target);
    return;
  case 4:
    copyFrom<uint32_t>(Tensor, 0, From, Target);
    return;
  default:
    copyFrom<uint64_t>(Tensor, 0, From, Target);
  }
}

void checkBooleans(attune_dtype Dtype, const std::byte *Data, uint64_t Bytes,
                   const std::string &What) {
  if (Dtype == ATTUNE_BOOL &&
      !std::all_of(Data, Data + Bytes, [](std::byte B) { return B <= std::byte{1}; }))
    refuse(What + ": a boolean is neither 0 nor 1");
}

} // namespace attune::runtime
