//===- Interpreter.h - The mha dialect by its definition --------*- C++ -*-===//
//
// Runs graph IR and tile IR on small inputs, operation by operation, in float64: the reference that
// every pass and every code generator is compared with. Nothing here is shared with them.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_DIALECT_INTERPRETER_H
#define ATTUNE_DIALECT_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <variant>
#include <vector>

namespace attune::mha {

/// A strided view of shared elements. Elements of all types are held as double; a mask (i8) holds
/// whole numbers. Copies share their storage.
struct Array {
  std::vector<int64_t> shape;
  std::vector<int64_t> strides; ///< in elements
  int64_t offset = 0;           ///< of the first element
  std::shared_ptr<std::vector<double>> storage;

  /// A dense array, row-major, with `value` everywhere.
  static Array filled(llvm::ArrayRef<int64_t> shape, double value = 0);
  /// A dense array that holds `values`, as many as the shape has elements.
  static Array of(llvm::ArrayRef<int64_t> shape, std::vector<double> values);

  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  int64_t elements() const;
  /// The element at `indices`; null when they lie outside the shape or the storage.
  double *find(llvm::ArrayRef<int64_t> indices) const;
  /// Where the element at `indices` lies in the storage, without any check.
  int64_t position(llvm::ArrayRef<int64_t> indices) const;
  /// True when rank and strides agree and every element lies in the storage.
  bool fits() const;
  /// A dense copy with storage of its own.
  Array dense() const;
};

enum class Rounding { None, Float32, BFloat16, Float16 };

struct InterpreterOptions {
  /// Unless None: a naive implementation in this type, for error bounds. Every stored element is
  /// rounded to it; arithmetic is that of float32 and sums one product after the other.
  Rounding rounding = Rounding::None;
};

/// Runs a function on tensors and returns its results. An operation that is not known, an access
/// out of range and shapes that do not match are errors that name the operation and its location.
llvm::Expected<std::vector<Array>> interpretGraph(mlir::func::FuncOp function,
                                                  llvm::ArrayRef<Array> arguments,
                                                  const InterpreterOptions &options = {});

/// Runs a function on memrefs and sizes. The memrefs are the caller's arrays, so that what the
/// function writes is seen in them. What tile IR leaves undefined is NaN: fresh memory, rows and
/// columns of a tile that were not loaded, probabilities of columns that need not be visited. A
/// result that depends on them becomes NaN.
llvm::Error interpretTiles(mlir::func::FuncOp function,
                           llvm::ArrayRef<std::variant<Array, int64_t>> arguments,
                           const InterpreterOptions &options = {});

} // namespace attune::mha

#endif
