//===- tensor.cpp - Element types and dense tensors -------------------------------------------===//

#include "attune/attune.h"

#include "raw_value.h"

namespace {

struct DtypeRow {
  const char *Name;
  size_t Size;
};

// Indexed by attune_dtype.
constexpr DtypeRow Dtypes[] = {{"float32", 4}, {"float64", 8}, {"bfloat16", 2}, {"float16", 2},
                               {"bool", 1},    {"uint8", 1},   {"int8", 1},     {"int16", 2},
                               {"int32", 4},   {"int64", 8}};
constexpr unsigned DtypeCount = sizeof(Dtypes) / sizeof(Dtypes[0]);
static_assert(DtypeCount == ATTUNE_INT64 + 1);

} // namespace

size_t attune_dtype_size(attune_dtype dtype) {
  uint32_t Index = attune::runtime::rawValue(dtype);
  return Index < DtypeCount ? Dtypes[Index].Size : 0;
}

const char *attune_dtype_name(attune_dtype dtype) {
  uint32_t Index = attune::runtime::rawValue(dtype);
  return Index < DtypeCount ? Dtypes[Index].Name : "unknown";
}

attune_tensor attune_dense_tensor(void *data, attune_dtype dtype, int32_t rank,
                                  const int64_t *sizes) {
  attune_tensor Tensor = {};
  Tensor.data = data;
  std::memcpy(&Tensor.dtype, &dtype, sizeof(dtype)); // May be out of range.
  Tensor.rank = rank;
  if (rank < 0 || rank > ATTUNE_MAX_RANK)
    return Tensor; // The rank stays wrong, so the call that gets this tensor refuses it by name.
  int64_t Stride = 1;
  for (int32_t I = rank - 1; I >= 0; --I) {
    Tensor.sizes[I] = sizes[I];
    Tensor.strides[I] = Stride;
    // Wraps for absurd sizes; whoever uses the tensor checks sizes and strides.
    Stride = static_cast<int64_t>(static_cast<uint64_t>(Stride) * static_cast<uint64_t>(sizes[I]));
  }
  return Tensor;
}
