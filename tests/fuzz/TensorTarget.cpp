//===- TensorTarget.cpp - Promises of attune_tensor_file_parse ------------===//
#include "Targets.h"
#include "attune/tensor_file.h"
#include <memory>

namespace attune::fuzz {
namespace {

/// Bytes of a tensor, or 0 where they are beyond `limit`.
size_t boundedBytes(const attune_tensor &tensor, size_t limit) {
  size_t bytes = attune_dtype_size(tensor.dtype);
  for (int32_t k = 0; k < tensor.rank; ++k)
    if (__builtin_mul_overflow(bytes, size_t(tensor.sizes[k]), &bytes) || bytes > limit)
      return 0;
  return bytes;
}

/// Reads every element by its strides; gives a sum, so that the reads stay.
unsigned readElements(const attune_tensor &tensor, int32_t dimension, int64_t offset) {
  const size_t size = attune_dtype_size(tensor.dtype);
  const auto *data = static_cast<const unsigned char *>(tensor.data);
  unsigned sum = 0;
  if (dimension == tensor.rank) {
    for (size_t k = 0; k < size; ++k)
      sum += data[size_t(offset) * size + k];
    return sum;
  }
  for (int64_t k = 0; k < tensor.sizes[dimension]; ++k)
    sum += readElements(tensor, dimension + 1, offset + k * tensor.strides[dimension]);
  return sum;
}

bool isEmpty(const attune_tensor &tensor) {
  for (int32_t k = 0; k < tensor.rank; ++k)
    if (tensor.sizes[k] == 0)
      return true;
  return false;
}

std::string tensorProblem(const attune_tensor &tensor, size_t limit, size_t &total) {
  if (attune_dtype_size(tensor.dtype) == 0)
    return "has no element type";
  if (tensor.rank < 0 || tensor.rank > ATTUNE_MAX_RANK)
    return "has rank " + std::to_string(tensor.rank);
  for (int32_t k = 0; k < tensor.rank; ++k)
    if (tensor.sizes[k] < 0)
      return "has a negative size";
  if (isEmpty(tensor))
    return "";
  const size_t bytes = boundedBytes(tensor, limit);
  total += bytes;
  if (bytes == 0 || total > limit)
    return "is larger than its file allows";
  if (!tensor.data || reinterpret_cast<uintptr_t>(tensor.data) % ATTUNE_ALIGNMENT != 0)
    return "has no data, or misaligned data";
  volatile unsigned sink = readElements(tensor, 0, 0);
  (void)sink;
  return "";
}

std::string acceptanceProblem(const attune_tensor_file *file, size_t limit) {
  size_t total = 0;
  for (size_t k = 0; k < attune_tensor_file_count(file); ++k) {
    const char *name = attune_tensor_file_name(file, k);
    if (!name)
      return "a tensor without a name";
    attune_tensor tensor;
    std::string problem = attune_tensor_file_get(file, name, &tensor) == ATTUNE_OK
                              ? tensorProblem(tensor, limit, total)
                              : "cannot be found";
    if (!problem.empty())
      return "tensor " + std::string(name) + " " + problem;
  }
  return "";
}

} // namespace

Verdict checkTensorFile(std::string_view input) {
  attune_tensor_file *opened = nullptr;
  const attune_status status =
      attune_tensor_file_parse(input.data(), input.size(), "input", &opened);
  std::unique_ptr<attune_tensor_file, void (*)(attune_tensor_file *)> file(
      opened, attune_tensor_file_close);
  if (status == ATTUNE_OK)
    return {true, acceptanceProblem(file.get(), memoryLimit(input.size()))};
  if (file)
    return {false, "a refused file is open"};
  if (status != ATTUNE_BAD_FILE)
    return {false, "refused with status " + std::to_string(status) + ": " + attune_last_error()};
  return {false, messageProblem(attune_last_error())};
}

} // namespace attune::fuzz
