//===- InterpreterMemory.cpp - The memref dialect -------------------------===//
#include "dialect/InterpreterCore.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;

namespace attune::mha::interpreter {

/// More elements than a reference run can need; what is beyond is taken for a mistake.
static constexpr int64_t kMaxElements = int64_t(1) << 30;

static llvm::Error runAlloc(Interpreter &interpreter, memref::AllocOp op) {
  std::vector<int64_t> shape;
  int64_t elements = 1;
  for (OpFoldResult size : op.getMixedSizes()) {
    shape.push_back(interpreter.integers(ArrayRef(size)).front());
    if (shape.back() < 0 || llvm::MulOverflow(elements, shape.back(), elements) ||
        elements > kMaxElements)
      return fail(op, "has a size of " + llvm::Twine(shape.back()));
  }
  if (!op.getType().getLayout().isIdentity())
    return fail(op, "with a layout is not supported by the interpreter");
  interpreter.set(op.getResult(), View{Array::filled(shape, poison), 0});
  return llvm::Error::success();
}

static llvm::Error runDealloc(Interpreter &, memref::DeallocOp) { return llvm::Error::success(); }

static llvm::Error runReinterpretCast(Interpreter &interpreter, memref::ReinterpretCastOp op) {
  View view = interpreter.get<View>(op.getSource());
  view.array.shape = interpreter.integers(op.getMixedSizes());
  view.array.strides = interpreter.integers(op.getMixedStrides());
  view.array.offset = view.base + interpreter.integers(op.getMixedOffsets()).front();
  if (llvm::any_of(view.array.shape, [](int64_t size) { return size < 0; }) || !view.array.fits())
    return fail(op, "makes a view that does not lie in its buffer");
  interpreter.set(op.getResult(), view);
  return llvm::Error::success();
}

static llvm::Error runSubView(Interpreter &interpreter, memref::SubViewOp op) {
  View view = interpreter.get<View>(op.getSource());
  const Array source = view.array;
  const std::vector<int64_t> offsets = interpreter.integers(op.getMixedOffsets());
  const std::vector<int64_t> sizes = interpreter.integers(op.getMixedSizes());
  const std::vector<int64_t> strides = interpreter.integers(op.getMixedStrides());
  std::vector<int64_t> spans;
  for (auto [size, stride] : llvm::zip(sizes, strides)) {
    if (size < 0 || stride < 1)
      return fail(op, "has size " + llvm::Twine(size) + " and stride " + llvm::Twine(stride));
    spans.push_back(size == 0 ? 0 : (size - 1) * stride + 1);
  }
  llvm::Expected<int64_t> position = checkWindow(op, source, offsets, spans);
  if (!position)
    return position.takeError();
  view.array.offset = *position;
  view.array.shape.clear();
  view.array.strides.clear();
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (size_t k = 0; k < sizes.size(); ++k)
    if (!dropped[k]) {
      view.array.shape.push_back(sizes[k]);
      view.array.strides.push_back(source.strides[k] * strides[k]);
    }
  interpreter.set(op.getResult(), view);
  return llvm::Error::success();
}

static llvm::Error runCast(Interpreter &interpreter, memref::CastOp op) {
  auto type = dyn_cast<MemRefType>(op.getType());
  if (!type)
    return fail(op, "to an unranked memref is not supported by the interpreter");
  View view = interpreter.get<View>(op.getSource());
  for (auto [size, actual] : llvm::zip(type.getShape(), view.array.shape))
    if (!ShapedType::isDynamic(size) && size != actual)
      return fail(op, "casts a size of " + llvm::Twine(actual) + " to " + llvm::Twine(size));
  interpreter.set(op.getResult(), view);
  return llvm::Error::success();
}

static llvm::Error runMetadata(Interpreter &interpreter, memref::ExtractStridedMetadataOp op) {
  const View view = interpreter.get<View>(op.getSource());
  interpreter.set(op.getOffset(), Scalar{view.array.offset - view.base});
  for (auto [result, size] : llvm::zip(op.getSizes(), view.array.shape))
    interpreter.set(result, Scalar{size});
  for (auto [result, stride] : llvm::zip(op.getStrides(), view.array.strides))
    interpreter.set(result, Scalar{stride});
  interpreter.set(op.getBaseBuffer(),
                  View{Array{{}, {}, view.base, view.array.storage}, view.base});
  return llvm::Error::success();
}

static llvm::Error runDim(Interpreter &interpreter, memref::DimOp op) {
  if (!isa<MemRefType>(op.getSource().getType()))
    return fail(op, "of an unranked memref is not supported by the interpreter");
  const Array &array = interpreter.array(op.getSource());
  const int64_t index = interpreter.integer(op.getIndex());
  if (index < 0 || index >= array.rank())
    return fail(op, "asks for dimension " + llvm::Twine(index));
  const int64_t size = array.shape[index];
  interpreter.set(op.getResult(), Scalar{size});
  return llvm::Error::success();
}

static llvm::Error runLoad(Interpreter &interpreter, memref::LoadOp op) {
  const Array &array = interpreter.array(op.getMemref());
  const std::vector<int64_t> indices = interpreter.integers(op.getIndices());
  const double *element = array.find(indices);
  if (!element)
    return fail(op, describeOutOfRange(indices, {}, array));
  const Type type = op.getMemRefType().getElementType();
  if (type.isIntOrIndex() && std::isnan(*element))
    return fail(op, "loads an integer that was never stored");
  interpreter.set(op.getResult(), ElementKind(type, interpreter.options).toScalar(*element));
  return llvm::Error::success();
}

static llvm::Error runStore(Interpreter &interpreter, memref::StoreOp op) {
  const Array &array = interpreter.array(op.getMemref());
  const std::vector<int64_t> indices = interpreter.integers(op.getIndices());
  double *element = array.find(indices);
  if (!element)
    return fail(op, describeOutOfRange(indices, {}, array));
  const ElementKind kind(op.getMemRefType().getElementType(), interpreter.options);
  *element = kind.toElement(interpreter.get<Scalar>(op.getValue()));
  return llvm::Error::success();
}

void addMemoryHandlers(HandlerTable &table) {
  add<memref::AllocOp>(table, runAlloc);
  add<memref::DeallocOp>(table, runDealloc);
  add<memref::ReinterpretCastOp>(table, runReinterpretCast);
  add<memref::SubViewOp>(table, runSubView);
  add<memref::CastOp>(table, runCast);
  add<memref::ExtractStridedMetadataOp>(table, runMetadata);
  add<memref::DimOp>(table, runDim);
  add<memref::LoadOp>(table, runLoad);
  add<memref::StoreOp>(table, runStore);
}

} // namespace attune::mha::interpreter
