//===- check_memory.cpp - Checks of strides, pointers and overlap -----------------------------===//

#include "check.h"

#include <cinttypes>

namespace attune::runtime {

// Generated code keeps the stride between rows in 32 bits.
static constexpr int64_t RowStrideLimit = int64_t{1} << 31;

static bool isEmpty(const attune_tensor &Tensor) {
  for (int32_t I = 0; I < Tensor.rank; ++I)
    if (Tensor.sizes[I] == 0)
      return true;
  return false;
}

/// Checks each stride on its own.
static attune_status checkEachStride(const CallSite &Site, const attune_argument_spec &Spec,
                                     const attune_tensor &Tensor) {
  int64_t Least = (Spec.flags & (ATTUNE_ARGUMENT_OUTPUT | ATTUNE_ARGUMENT_EVEN_ROWS)) ? 1 : 0;
  for (int32_t I = 0; I < Tensor.rank; ++I) {
    int64_t Stride = Tensor.strides[I];
    if (Tensor.sizes[I] == 1)
      continue;
    if (I == Tensor.rank - 1 && Stride != 1)
      return Site.fail(ATTUNE_WRONG_STRIDE, Spec.name,
                       "stride of dimension %d is %" PRId64 ", expected 1", I, Stride);
    if (Stride < Least)
      return Site.fail(ATTUNE_WRONG_STRIDE, Spec.name,
                       "stride of dimension %d is %" PRId64 ", expected %" PRId64 " or more", I,
                       Stride, Least);
    if (I == Tensor.rank - 2 && Stride >= RowStrideLimit)
      return Site.fail(ATTUNE_WRONG_STRIDE, Spec.name,
                       "stride of dimension %d is %" PRId64 ", expected less than 2^31", I, Stride);
  }
  return ATTUNE_OK;
}

/// Checks that all dimensions but the last collapse into one, and gives every dimension the stride
/// that this implies.
static attune_status checkEvenRows(const CallSite &Site, const attune_argument_spec &Spec,
                                   attune_tensor &Tensor) {
  if (Tensor.rank < 2)
    return ATTUNE_OK;
  int32_t Row = Tensor.rank - 2;
  while (Row >= 0 && Tensor.sizes[Row] == 1)
    --Row;
  int64_t Stride = Row >= 0 ? Tensor.strides[Row] : Tensor.sizes[Tensor.rank - 1];
  if (Row >= 0 && Stride >= RowStrideLimit)
    return Site.fail(ATTUNE_WRONG_STRIDE, Spec.name,
                     "stride of dimension %d is %" PRId64 ", expected less than 2^31", Row, Stride);
  for (int32_t I = Tensor.rank - 2; I >= 0; --I) {
    if (Tensor.sizes[I] != 1 && Tensor.strides[I] != Stride)
      return Site.fail(ATTUNE_WRONG_STRIDE, Spec.name,
                       "stride of dimension %d is %" PRId64 ", expected %" PRId64
                       " (all rows evenly spaced)",
                       I, Tensor.strides[I], Stride);
    Tensor.strides[I] = Stride;
    if (__builtin_mul_overflow(Stride, Tensor.sizes[I], &Stride))
      Stride = INT64_MAX; // Matches no dimension that follows.
  }
  return ATTUNE_OK;
}

/// Refuses strides of an output by which two elements share memory: taken in ascending order, each
/// stride must lie beyond all that the dimensions before it span.
static attune_status checkNoSelfOverlap(const CallSite &Site, const attune_argument_spec &Spec,
                                        const attune_tensor &Tensor) {
  int32_t Order[ATTUNE_MAX_RANK];
  int32_t Count = 0;
  for (int32_t I = Tensor.rank - 1; I >= 0; --I) {
    if (Tensor.sizes[I] == 1)
      continue;
    int32_t At = Count++;
    for (; At > 0 && Tensor.strides[Order[At - 1]] > Tensor.strides[I]; --At)
      Order[At] = Order[At - 1];
    Order[At] = I;
  }
  int64_t Span = 0;
  for (int32_t I = 0; I < Count; ++I) {
    int32_t Dimension = Order[I];
    if (Tensor.strides[Dimension] <= Span)
      return Site.fail(ATTUNE_WRONG_STRIDE, Spec.name,
                       "stride of dimension %d is %" PRId64 ", expected %" PRId64
                       " or more, or its elements overlap each other",
                       Dimension, Tensor.strides[Dimension], Span + 1);
    Span += (Tensor.sizes[Dimension] - 1) * Tensor.strides[Dimension];
  }
  return ATTUNE_OK;
}

/// Bytes from the first element to the end of the last one; negative if that overflows.
static int64_t extentInBytes(const attune_tensor &Tensor) {
  int64_t Last = 0;
  for (int32_t I = 0; I < Tensor.rank; ++I) {
    int64_t Span;
    if (Tensor.sizes[I] != 1 &&
        (__builtin_mul_overflow(Tensor.sizes[I], Tensor.strides[I], &Span) ||
         __builtin_add_overflow(Last, Span - Tensor.strides[I], &Last)))
      return -1;
  }
  int64_t Bytes;
  if (__builtin_add_overflow(Last, 1, &Last) ||
      __builtin_mul_overflow(Last, static_cast<int64_t>(attune_dtype_size(Tensor.dtype)), &Bytes))
    return -1;
  return Bytes;
}

static void makeStridesDense(attune_tensor &Tensor, bool OnlyUnused) {
  int64_t Stride = 1;
  for (int32_t I = Tensor.rank - 1; I >= 0; --I) {
    if (!OnlyUnused || Tensor.sizes[I] <= 1)
      // Only ever multiplied by index 0, so a row stride beyond 32 bits can become any other.
      Tensor.strides[I] = Stride < RowStrideLimit ? Stride : 1;
    if (__builtin_mul_overflow(Tensor.strides[I], Tensor.sizes[I] < 1 ? 1 : Tensor.sizes[I],
                               &Stride))
      Stride = 1;
  }
}

attune_status checkStrides(const CallSite &Site, const attune_argument_spec &Spec,
                           attune_tensor &Tensor) {
  if (isEmpty(Tensor)) {
    makeStridesDense(Tensor, /*OnlyUnused=*/false);
    return ATTUNE_OK;
  }
  if (attune_status Status = checkEachStride(Site, Spec, Tensor))
    return Status;
  if (extentInBytes(Tensor) < 0)
    return Site.fail(ATTUNE_WRONG_STRIDE, Spec.name,
                     "its sizes and strides span too much, expected fewer than 2^63 bytes");
  makeStridesDense(Tensor, /*OnlyUnused=*/true);
  if (Spec.flags & ATTUNE_ARGUMENT_EVEN_ROWS)
    if (attune_status Status = checkEvenRows(Site, Spec, Tensor))
      return Status;
  return (Spec.flags & ATTUNE_ARGUMENT_OUTPUT) ? checkNoSelfOverlap(Site, Spec, Tensor) : ATTUNE_OK;
}

attune_status checkData(const CallSite &Site, const attune_argument_spec &Spec,
                        const attune_tensor &Tensor, MemoryRange &Range) {
  uintptr_t Begin = reinterpret_cast<uintptr_t>(Tensor.data);
  Range = {Spec.name, Begin, Begin, (Spec.flags & ATTUNE_ARGUMENT_OUTPUT) != 0};
  if (isEmpty(Tensor))
    return ATTUNE_OK;
  if (!Tensor.data)
    return Site.fail(ATTUNE_NULL_POINTER, Spec.name,
                     "data is null, expected a pointer because no size is 0");
  size_t ElementSize = attune_dtype_size(Tensor.dtype);
  if (Begin % ElementSize != 0)
    return Site.fail(ATTUNE_MISALIGNED, Spec.name,
                     "data is %zu bytes beyond a multiple of %zu, expected alignment to %zu bytes",
                     static_cast<size_t>(Begin % ElementSize), ElementSize, ElementSize);
  if (__builtin_add_overflow(Begin, static_cast<uintptr_t>(extentInBytes(Tensor)), &Range.End))
    return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                     "its sizes reach beyond the address space, expected those of its memory");
  return ATTUNE_OK;
}

attune_status checkBuffer(const CallSite &Site, const char *Name, const void *Data, size_t Size,
                          size_t Needed, bool Written, MemoryRange &Range) {
  uintptr_t Begin = reinterpret_cast<uintptr_t>(Data);
  Range = {Name, Begin, Begin, Written};
  if (Needed == 0)
    return ATTUNE_OK;
  if (!Data)
    return Site.fail(ATTUNE_NULL_POINTER, Name, "is null, expected %zu bytes", Needed);
  if (Begin % ATTUNE_ALIGNMENT != 0)
    return Site.fail(ATTUNE_MISALIGNED, Name,
                     "is %d bytes beyond a multiple of %d, expected alignment to %d bytes",
                     static_cast<int>(Begin % ATTUNE_ALIGNMENT), ATTUNE_ALIGNMENT,
                     ATTUNE_ALIGNMENT);
  if (Size < Needed)
    return Site.fail(ATTUNE_BUFFER_TOO_SMALL, Name, "has %zu bytes, expected %zu or more", Size,
                     Needed);
  if (__builtin_add_overflow(Begin, Needed, &Range.End))
    return Site.fail(ATTUNE_BUFFER_TOO_SMALL, Name,
                     "%zu bytes reach beyond the address space, expected a smaller size", Needed);
  return ATTUNE_OK;
}

attune_status checkOverlap(const CallSite &Site, const MemoryRange *Ranges, int32_t Count) {
  for (int32_t I = 0; I < Count; ++I) {
    const MemoryRange &One = Ranges[I];
    if (!One.Written || One.Begin == One.End)
      continue;
    for (int32_t J = 0; J < Count; ++J) {
      const MemoryRange &Other = Ranges[J];
      if (I != J && Other.Begin != Other.End && One.Begin < Other.End && Other.Begin < One.End)
        return Site.fail(ATTUNE_ALIASED, One.Name,
                         "its memory overlaps that of %s, expected memory of its own", Other.Name);
    }
  }
  return ATTUNE_OK;
}

} // namespace attune::runtime
