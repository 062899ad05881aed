//===- Interpreter.cpp - Arrays and entry points --------------------------===//
#include "dialect/Interpreter.h"

#include "dialect/InterpreterCore.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace attune::mha {

using namespace interpreter;

static std::vector<int64_t> denseStrides(ArrayRef<int64_t> shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (int64_t k = static_cast<int64_t>(shape.size()) - 2; k >= 0; --k)
    strides[k] = strides[k + 1] * shape[k + 1];
  return strides;
}

Array Array::of(ArrayRef<int64_t> shape, std::vector<double> values) {
  return {shape.vec(), denseStrides(shape), 0,
          std::make_shared<std::vector<double>>(std::move(values))};
}

Array Array::filled(ArrayRef<int64_t> shape, double value) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return of(shape, std::vector<double>(count, value));
}

int64_t Array::elements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

int64_t Array::position(ArrayRef<int64_t> indices) const {
  int64_t at = offset;
  for (auto [index, stride] : llvm::zip(indices, strides))
    at += index * stride;
  return at;
}

double *Array::find(ArrayRef<int64_t> indices) const {
  if (!storage || indices.size() != shape.size())
    return nullptr;
  for (auto [index, size] : llvm::zip(indices, shape))
    if (index < 0 || index >= size)
      return nullptr;
  const int64_t at = position(indices);
  return at < 0 || at >= static_cast<int64_t>(storage->size()) ? nullptr : storage->data() + at;
}

bool Array::fits() const {
  if (!storage || shape.size() != strides.size())
    return false;
  if (llvm::any_of(shape, [](int64_t size) { return size < 0; }))
    return false;
  if (llvm::is_contained(shape, 0))
    return true;
  int64_t low = offset, high = offset;
  for (auto [size, stride] : llvm::zip(shape, strides))
    (stride < 0 ? low : high) += (size - 1) * stride;
  return low >= 0 && high < static_cast<int64_t>(storage->size());
}

/// Copies the elements of `array` from dimension `dimension` on, in order.
static void append(const Array &array, size_t dimension, int64_t position,
                   std::vector<double> &values) {
  if (dimension == array.shape.size()) {
    values.push_back((*array.storage)[position]);
    return;
  }
  for (int64_t k = 0; k < array.shape[dimension]; ++k)
    append(array, dimension + 1, position + k * array.strides[dimension], values);
}

Array Array::dense() const {
  std::vector<double> values;
  values.reserve(elements());
  append(*this, 0, offset, values);
  return of(shape, std::move(values));
}

/// Checks rank, static sizes and, for a memref, static strides of an argument.
static llvm::Error checkArgument(func::FuncOp function, unsigned index, const Array &array) {
  auto type = dyn_cast<ShapedType>(function.getArgument(index).getType());
  auto complain = [&](const llvm::Twine &message) {
    return fail(function, "argument " + llvm::Twine(index) + " " + message);
  };
  if (!type || !type.hasRank())
    return complain("is no ranked tensor or memref");
  if (array.rank() != type.getRank())
    return complain("has rank " + llvm::Twine(array.rank()) + ", not " +
                    llvm::Twine(type.getRank()));
  if (!array.fits())
    return complain("does not lie in its storage");
  for (auto [size, actual] : llvm::zip(type.getShape(), array.shape))
    if (!ShapedType::isDynamic(size) && size != actual)
      return complain("has a size of " + llvm::Twine(actual) + ", not " + llvm::Twine(size));
  auto memref = dyn_cast<MemRefType>(type);
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!memref || array.elements() == 0)
    return llvm::Error::success();
  if (failed(memref.getStridesAndOffset(strides, offset)))
    return complain("has no strided layout");
  for (auto [stride, actual, size] : llvm::zip(strides, array.strides, array.shape))
    if (size != 1 && !ShapedType::isDynamic(stride) && stride != actual)
      return complain("has a stride of " + llvm::Twine(actual) + ", not " + llvm::Twine(stride));
  return llvm::Error::success();
}

static llvm::Error checkFunction(func::FuncOp function, size_t arguments) {
  if (function.isExternal())
    return fail(function, "has no body");
  if (!llvm::hasSingleElement(function.getBody()))
    return fail(function, "has more than one block");
  if (function.getNumArguments() != arguments)
    return fail(function, "takes " + llvm::Twine(function.getNumArguments()) + " arguments, " +
                              llvm::Twine(arguments) + " given");
  if (failed(verify(function)))
    return fail(function, "does not verify");
  return llvm::Error::success();
}

llvm::Expected<std::vector<Array>> interpretGraph(func::FuncOp function, ArrayRef<Array> arguments,
                                                  const InterpreterOptions &options) {
  if (llvm::Error error = checkFunction(function, arguments.size()))
    return std::move(error);
  Interpreter interpreter(options);
  for (auto [index, argument] : llvm::enumerate(arguments)) {
    if (llvm::Error error = checkArgument(function, index, argument))
      return std::move(error);
    interpreter.set(function.getArgument(index), View{argument, 0});
  }
  if (llvm::Error error = interpreter.runBlock(function.front()))
    return std::move(error);
  std::vector<Array> results;
  for (Value value : function.front().getTerminator()->getOperands()) {
    if (!isa<ShapedType>(value.getType()))
      return fail(function, "returns a value that is no tensor");
    results.push_back(interpreter.get<View>(value).array);
  }
  return results;
}

llvm::Error interpretTiles(func::FuncOp function, ArrayRef<std::variant<Array, int64_t>> arguments,
                           const InterpreterOptions &options) {
  if (llvm::Error error = checkFunction(function, arguments.size()))
    return error;
  Interpreter interpreter(options);
  for (auto [index, argument] : llvm::enumerate(arguments)) {
    Value value = function.getArgument(index);
    if (auto *number = std::get_if<int64_t>(&argument)) {
      if (!value.getType().isIndex())
        return fail(function, "argument " + llvm::Twine(index) + " is no index");
      interpreter.set(value, Scalar{*number});
      continue;
    }
    const Array &array = std::get<Array>(argument);
    if (llvm::Error error = checkArgument(function, index, array))
      return error;
    // The memref's base pointer is where its type's offset leads to the first element from.
    SmallVector<int64_t> strides;
    int64_t offset = 0;
    if (auto memref = dyn_cast<MemRefType>(value.getType()))
      (void)memref.getStridesAndOffset(strides, offset);
    interpreter.set(value, View{array, ShapedType::isDynamic(offset) ? 0 : array.offset - offset});
  }
  return interpreter.runBlock(function.front());
}

} // namespace attune::mha
