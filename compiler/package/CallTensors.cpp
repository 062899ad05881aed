//===- CallTensors.cpp - Tensors of calls ---------------------------------===//
#include "package/CallTensors.h"

#include "package/Elements.h"
#include "package/InterfaceText.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace llvm;

namespace attune {

attune_tensor TensorMemory::allocate(const InterfaceTensor &spec, const CallSizes &sizes) {
  const attune_dtype dtype = interfaceDtype(spec);
  const std::vector<int64_t> shape = shapeOf(spec, sizes);
  std::optional<uint64_t> bytes = attune_dtype_size(dtype);
  for (int64_t size : shape)
    if (!(bytes = checkedMulUnsigned<uint64_t>(*bytes, size)))
      throw std::bad_alloc();
  buffers.emplace_back(*bytes);
  return attune_dense_tensor(buffers.back().data(), dtype, shape.size(), shape.data());
}

size_t elementCount(const attune_tensor &tensor) {
  size_t count = 1;
  for (int64_t size : ArrayRef(tensor.sizes, tensor.rank))
    count *= static_cast<size_t>(size);
  return count;
}

size_t byteCount(const attune_tensor &tensor) {
  return elementCount(tensor) * attune_dtype_size(tensor.dtype);
}

ArrayRef<StringLiteral> maskNames() {
  static constexpr StringLiteral names[] = {"attn_mask", "key_padding_mask"};
  return names;
}

void RandomTensors::add(ArrayRef<InterfaceTensor> specs, const CallSizes &sizes, float scale) {
  for (const InterfaceTensor &spec : specs) {
    tensors.push_back(memory.allocate(spec, sizes));
    fill(spec, tensors.back(), scale);
  }
}

size_t RandomTensors::totalBytes() const {
  size_t bytes = 0;
  for (const attune_tensor &tensor : tensors)
    bytes += byteCount(tensor);
  return bytes;
}

void RandomTensors::fill(const InterfaceTensor &spec, attune_tensor &tensor, float scale) {
  if (tensor.dtype == ATTUNE_BOOL && spec.name == "attn_mask") {
    std::bernoulli_distribution half;
    std::generate_n(static_cast<bool *>(tensor.data), elementCount(tensor),
                    [&] { return half(generator); });
  } else if (is_contained(maskNames(), spec.name)) {
    std::fill_n(static_cast<char *>(tensor.data), byteCount(tensor), 0);
  } else {
    std::uniform_real_distribution<float> uniform(-scale, scale);
    for (size_t k = 0; k < elementCount(tensor); ++k)
      writeElement(tensor.data, tensor.dtype, k, uniform(generator));
  }
}

} // namespace attune
