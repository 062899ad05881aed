//===- Elements.cpp - Numbers of tensors, whatever their type -------------===//
#include "package/Elements.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include <limits>

namespace attune {

namespace {
uint16_t narrowed(double value, const llvm::fltSemantics &type) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(type, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}
} // namespace

double readElement(const void *data, attune_dtype dtype, int64_t index) {
  switch (dtype) {
  case ATTUNE_FLOAT32:
    return static_cast<const float *>(data)[index];
  case ATTUNE_FLOAT64:
    return static_cast<const double *>(data)[index];
  case ATTUNE_BFLOAT16: // the upper half of a float
    return llvm::bit_cast<float>(uint32_t(static_cast<const uint16_t *>(data)[index]) << 16);
  case ATTUNE_FLOAT16:
    return llvm::APFloat(llvm::APFloat::IEEEhalf(),
                         llvm::APInt(16, static_cast<const uint16_t *>(data)[index]))
        .convertToDouble();
  case ATTUNE_BOOL:
  case ATTUNE_UINT8:
    return static_cast<const uint8_t *>(data)[index];
  default:
    return std::numeric_limits<double>::quiet_NaN();
  }
}

void writeElement(void *data, attune_dtype dtype, int64_t index, double value) {
  if (dtype == ATTUNE_FLOAT64)
    static_cast<double *>(data)[index] = value;
  else if (dtype == ATTUNE_FLOAT32)
    static_cast<float *>(data)[index] = static_cast<float>(value);
  else
    static_cast<uint16_t *>(data)[index] = narrowed(
        value, dtype == ATTUNE_BFLOAT16 ? llvm::APFloat::BFloat() : llvm::APFloat::IEEEhalf());
}

} // namespace attune
