//===- InterpreterTile.h - What the tile operations share -------*- C++ -*-===//
#ifndef ATTUNE_DIALECT_INTERPRETERTILE_H
#define ATTUNE_DIALECT_INTERPRETERTILE_H

#include "dialect/InterpreterCore.h"

namespace attune::mha::interpreter {

/// The last two sizes of `array` from `indices` on.
struct Extent {
  int64_t rows, columns;
};
inline Extent extentFrom(const Array &array, llvm::ArrayRef<int64_t> indices) {
  const size_t last = array.shape.size() - 1;
  return {array.shape[last - 1] - indices[last - 1], array.shape[last] - indices[last]};
}

/// Rows and columns in memory that were checked to be there.
struct Window {
  std::shared_ptr<std::vector<double>> storage;
  int64_t first, rowStride, columnStride;

  double &at(int64_t row, int64_t column) const {
    return (*storage)[first + row * rowStride + column * columnStride];
  }
};

/// A window of `extent` along the last two dimensions, from `indices` on.
llvm::Expected<Window> windowAt(mlir::Operation *op, const Array &array,
                                llvm::ArrayRef<int64_t> indices, Extent extent);

} // namespace attune::mha::interpreter

#endif
