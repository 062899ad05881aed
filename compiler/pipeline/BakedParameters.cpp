//===- BakedParameters.cpp - Parameters that become part of an object -----===//
#include "pipeline/BakedParameters.h"

#include "frontend/Interface.h"
#include "package/Elements.h"
#include "package/InterfaceText.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include <numeric>

using namespace llvm;

namespace attune {

namespace {
Error check(const InterfaceTensor &expected, const attune_tensor &found) {
  const attune_dtype dtype = interfaceDtype(expected);
  if (found.dtype != dtype)
    return createStringError("%s: dtype is %s, expected %s", expected.name.c_str(),
                             attune_dtype_name(found.dtype), attune_dtype_name(dtype));
  const ArrayRef<int64_t> sizes(found.sizes, found.rank);
  if (sizes != ArrayRef(shapeOf(expected, CallSizes())))
    return createStringError("%s: shape is %s, expected %s", expected.name.c_str(),
                             shapeText(sizes).c_str(), shapeText(expected).c_str());
  return Error::success();
}

mha::Array arrayOf(const attune_tensor &tensor) {
  ArrayRef<int64_t> sizes(tensor.sizes, tensor.rank);
  mha::Array array = mha::Array::filled(sizes);
  std::vector<int64_t> index(sizes.size(), 0);
  for (double &element : *array.storage) {
    element =
        readElement(tensor.data, tensor.dtype,
                    std::inner_product(index.begin(), index.end(), tensor.strides, int64_t(0)));
    for (size_t k = sizes.size(); k-- > 0;) {
      ++index[k];
      if (index[k] < sizes[k])
        break;
      index[k] = 0;
    }
  }
  return array;
}
} // namespace

Expected<std::vector<mha::Array>> readParameters(const Config &config,
                                                 ArrayRef<attune_tensor> parameters) {
  const std::vector<InterfaceTensor> expected = interfaceParameters(config);
  if (expected.size() != parameters.size())
    return createStringError("%zu parameters given, expected %zu", parameters.size(),
                             expected.size());
  std::vector<mha::Array> arrays;
  for (auto [tensor, found] : zip(expected, parameters)) {
    if (Error error = check(tensor, found))
      return std::move(error);
    arrays.push_back(arrayOf(found));
  }
  return arrays;
}

std::string describeParameters(ArrayRef<mha::Array> parameters) {
  if (parameters.empty())
    return "";
  BLAKE3 hasher;
  for (const mha::Array &parameter : parameters)
    hasher.update(ArrayRef(reinterpret_cast<const uint8_t *>(parameter.storage->data()),
                           parameter.storage->size() * sizeof(double)));
  return "parameters " + toHex(hasher.final(), /*LowerCase=*/true) + "\n";
}

} // namespace attune
