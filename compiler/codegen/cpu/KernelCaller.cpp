//===- KernelCaller.cpp - Builds calls of kernels -------------------------===//
#include "codegen/cpu/KernelCaller.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace attune::cpu {

void KernelCaller::setPlace(Operation *op) {
  opBuilder.setInsertionPoint(op);
  loc = op->getLoc();
}

void KernelCaller::enterFunction(func::FuncOp function) {
  scopes.clear();
  scopes.push_back({&function.front(), {}});
}

void KernelCaller::enterParallelLoop(scf::ForallOp loop) { scopes.push_back({loop.getBody(), {}}); }

void KernelCaller::leaveParallelLoop() { scopes.pop_back(); }

/// Later operations first: their operands are still in use before.
void KernelCaller::eraseDead() {
  for (Operation *op : llvm::reverse(dead))
    op->dropAllReferences();
  for (Operation *op : llvm::reverse(dead))
    op->erase();
  dead.clear();
}

Value KernelCaller::index(int64_t value) {
  return arith::ConstantIndexOp::create(opBuilder, loc, value);
}

Value KernelCaller::ceilDiv(Value value, int64_t divisor) {
  return arith::CeilDivSIOp::create(opBuilder, loc, value, index(divisor));
}

Value KernelCaller::scratch(StringRef name, ArrayRef<int64_t> shape, Type element) {
  Scope &scope = scopes.back();
  Value &buffer = scope.buffers[{name.str(), shape.vec()}];
  if (!buffer) {
    OpBuilder::InsertionGuard guard(opBuilder);
    opBuilder.setInsertionPointToStart(scope.block);
    auto type = MemRefType::get(shape, element ? element : opBuilder.getF32Type());
    buffer = memref::AllocOp::create(opBuilder, loc, type, opBuilder.getI64IntegerAttr(64));
  }
  return buffer;
}

MemRefType KernelCaller::viewType(int64_t rank, Type element) {
  SmallVector<int64_t> dynamic(rank, ShapedType::kDynamic), strides = dynamic;
  strides.back() = 1;
  auto layout = StridedLayoutAttr::get(module.getContext(), ShapedType::kDynamic, strides);
  return MemRefType::get(dynamic, element, layout);
}

Value KernelCaller::generalize(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  MemRefType general = viewType(type.getRank(), type.getElementType());
  if (type == general)
    return memref;
  return memref::CastOp::create(opBuilder, loc, general, memref);
}

Value KernelCaller::view(Value memref, ValueRange indices, ArrayRef<Value> sizes) {
  auto type = cast<MemRefType>(memref.getType());
  const size_t outer = type.getRank() - sizes.size();
  SmallVector<OpFoldResult> offsets = getAsOpFoldResult(indices);
  SmallVector<OpFoldResult> extents(outer, opBuilder.getIndexAttr(1));
  llvm::append_range(extents, getAsOpFoldResult(ValueRange(sizes)));
  SmallVector<OpFoldResult> steps(type.getRank(), opBuilder.getIndexAttr(1));
  // The leading dimensions are dropped by position: among several of size 1 inference could keep
  // the wrong ones.
  auto whole = memref::SubViewOp::inferResultType(type, offsets, extents, steps);
  auto [strides, offset] = whole.getStridesAndOffset();
  auto layout =
      StridedLayoutAttr::get(module.getContext(), offset, ArrayRef(strides).drop_front(outer));
  auto reduced = MemRefType::get(whole.getShape().drop_front(outer), type.getElementType(), layout);
  return generalize(
      memref::SubViewOp::create(opBuilder, loc, reduced, memref, offsets, extents, steps));
}

bool KernelCaller::isDense(Value view, int64_t columns) {
  while (auto cast = view.getDefiningOp<memref::CastOp>())
    view = cast.getSource();
  auto [strides, offset] = cast<MemRefType>(view.getType()).getStridesAndOffset();
  return strides[strides.size() - 2] == columns;
}

ElementType KernelCaller::elementType(Value memref) {
  Type type = cast<MemRefType>(memref.getType()).getElementType();
  return type.isInteger(8)    ? ElementType::U8
         : type.isInteger(32) ? ElementType::I32
         : type.isBF16()      ? ElementType::BF16
         : type.isF16()       ? ElementType::F16
                              : ElementType::F32;
}

void KernelCaller::fill(Value memref, double value) {
  auto type = cast<MemRefType>(memref.getType());
  const int64_t offset = type.getStridesAndOffset().second;
  auto layout = StridedLayoutAttr::get(module.getContext(), offset, {1});
  auto flat = MemRefType::get({type.getNumElements()}, type.getElementType(), layout);
  Value row = memref::ReinterpretCastOp::create(opBuilder, loc, flat, memref, offset,
                                                ArrayRef<int64_t>{type.getNumElements()},
                                                ArrayRef<int64_t>{1});
  Value scalar = arith::ConstantFloatOp::create(opBuilder, loc, opBuilder.getF32Type(),
                                                APFloat(static_cast<float>(value)));
  call(FillSpec{}, {scalar, row});
}

void KernelCaller::callSymbol(const Kernel &kernel, ArrayRef<Value> operands) {
  SmallVector<Value> converted;
  for (Value operand : operands) {
    if (operand.getType().isIndex())
      operand = arith::IndexCastOp::create(opBuilder, loc, opBuilder.getI32Type(), operand);
    else if (isa<MemRefType>(operand.getType()))
      operand = generalize(operand);
    converted.push_back(operand);
  }
  if (!module.lookupSymbol(kernel.symbol)) {
    OpBuilder::InsertionGuard guard(opBuilder);
    opBuilder.setInsertionPointToEnd(module.getBody());
    auto declaration =
        func::FuncOp::create(opBuilder, loc, kernel.symbol,
                             opBuilder.getFunctionType(ValueRange(converted).getTypes(), {}));
    declaration.setPrivate();
  }
  func::CallOp::create(opBuilder, loc, kernel.symbol, TypeRange(), converted);
}

} // namespace attune::cpu
