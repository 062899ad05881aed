//===- Reference.cpp - Results against a reference ------------------------===//
#include "pipeline/Reference.h"

#include "package/Elements.h"

#include <cmath>

using namespace llvm;

namespace attune {

mha::Rounding naiveRounding(const Config &config) {
  constexpr mha::Rounding roundings[] = {mha::Rounding::Float32, mha::Rounding::BFloat16,
                                         mha::Rounding::Float16};
  return roundings[static_cast<int>(config.coarsestDtype())];
}

mha::Array toArray(const attune_tensor &tensor) {
  mha::Array array = mha::Array::filled(ArrayRef<int64_t>(tensor.sizes, tensor.rank));
  for (size_t k = 0; k < array.storage->size(); ++k)
    (*array.storage)[k] = readElement(tensor.data, tensor.dtype, k);
  return array;
}

double largestError(const attune_tensor &out, ArrayRef<double> reference) {
  double error = 0;
  for (auto [k, expected] : enumerate(reference)) {
    const double found = readElement(out.data, out.dtype, k);
    if (std::isnan(found) != std::isnan(expected))
      return INFINITY;
    if (found != expected && !std::isnan(found))
      error = std::max(error, std::abs(found - expected));
  }
  return error;
}

ErrorBound::ErrorBound(ArrayRef<double> exact, ArrayRef<double> naiveResult,
                       mha::Rounding rounding) {
  double magnitude = 0;
  for (auto [a, b] : zip(exact, naiveResult)) {
    if (std::isfinite(a) && std::isfinite(b))
      naive = std::max(naive, std::abs(a - b));
    if (std::isfinite(a))
      magnitude = std::max(magnitude, std::abs(a));
  }
  const double share = rounding == mha::Rounding::BFloat16  ? 0x1p-9
                       : rounding == mha::Rounding::Float16 ? 0x1p-12
                                                            : 1e-6;
  allowed = 2 * naive + share * magnitude;
}

} // namespace attune
