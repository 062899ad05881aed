//===- Elements.h - Numbers of tensors, whatever their type -----*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_ELEMENTS_H
#define ATTUNE_PACKAGE_ELEMENTS_H

#include "attune/attune.h"

namespace attune {

/// Element `index` of dense data of a float or one-byte dtype; NaN for other dtypes.
double readElement(const void *data, attune_dtype dtype, int64_t index);

/// Stores a number in dense data of a float dtype, rounded to nearest, ties to even.
void writeElement(void *data, attune_dtype dtype, int64_t index, double value);

} // namespace attune

#endif
