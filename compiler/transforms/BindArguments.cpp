//===- BindArguments.cpp - The C interface of a generated module ----------===//
#include "transforms/BindArguments.h"

#include "attune/attune.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace attune {
#define GEN_PASS_DEF_BINDARGUMENTS
#include "transforms/BindArguments.h.inc"

namespace {
/// Rewrites one function to take C structs.
class ArgumentBinder {
public:
  explicit ArgumentBinder(func::FuncOp function)
      : function(function), builder(function.getContext()), loc(function.getLoc()),
        converter(function.getContext()),
        pointer(LLVM::LLVMPointerType::get(function.getContext())) {}

  void run() {
    createEntry();
    SmallVector<Value> bound;
    for (BlockArgument argument : function.getArguments())
      bound.push_back(bind(argument));
    Block &body = function.front();
    for (auto [argument, value] : llvm::zip(body.getArguments(), bound))
      argument.replaceAllUsesWith(value);
    Operation *terminator = body.getTerminator();
    auto &target = entry->getOperations();
    target.splice(target.end(), body.getOperations(), body.begin(), terminator->getIterator());
    builder.setInsertionPointToEnd(entry);
    LLVM::ReturnOp::create(builder, loc, ValueRange());
    function.erase();
  }

private:
  void createEntry() {
    Type i64 = builder.getI64Type();
    SmallVector<Type> types = {pointer, pointer, pointer};
    if (isForward())
      types.append({pointer, pointer, i64});
    builder.setInsertionPoint(function);
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), types);
    auto entryFunction =
        LLVM::LLVMFuncOp::create(builder, loc, (function.getName() + "_entry").str(), type);
    entry = entryFunction.addEntryBlock(builder);
    builder.setInsertionPointToStart(entry);
  }

  bool isForward() { return function.getName() == "forward"; }

  Value bind(BlockArgument argument) {
    const unsigned index = argument.getArgNumber();
    const unsigned fromEnd = function.getNumArguments() - index;
    Type type = argument.getType();
    if (index == 0)
      return entry->getArgument(0); // the context
    auto memref = dyn_cast<MemRefType>(type);
    if (memref && function.getArgAttr(index, "mha.packed"))
      return denseMemref(memref, offsetPointer(entry->getArgument(2), ATTUNE_ALIGNMENT));
    if (memref && memref.getElementType().isInteger(8) && fromEnd == 2 && isForward())
      return denseMemref(memref, entry->getArgument(3)); // the workspace
    if (memref)
      return tensorMemref(memref, tensors++);
    if (fromEnd == 1)
      return cast(type, entry->getArgument(5)); // the number of workers
    // N, L, S stand before workspace and workers.
    const unsigned symbol = ATTUNE_SIZE_BATCH + 5 - fromEnd;
    return cast(type, loadI64(entry->getArgument(4), symbol * sizeof(int64_t)));
  }

  Value cast(Type type, Value value) {
    return UnrealizedConversionCastOp::create(builder, loc, type, value).getResult(0);
  }

  Value offsetPointer(Value base, int64_t bytes) {
    return LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
  }

  Value loadI64(Value base, int64_t bytes) {
    return LLVM::LoadOp::create(builder, loc, builder.getI64Type(), offsetPointer(base, bytes));
  }

  /// A dense memref at an address; a dynamic extent is never looked at.
  Value denseMemref(MemRefType type, Value address) {
    SmallVector<int64_t> shape(type.getShape());
    for (int64_t &size : shape)
      size = ShapedType::isDynamic(size) ? 0 : size;
    auto fixed = MemRefType::get(shape, type.getElementType());
    Value descriptor = MemRefDescriptor::fromStaticShape(builder, loc, converter, fixed, address);
    return cast(type, descriptor);
  }

  /// The memref of entry `position` of the tensor array.
  Value tensorMemref(MemRefType type, unsigned position) {
    const int64_t start = position * sizeof(attune_tensor);
    Value tensors = entry->getArgument(1);
    Value data = LLVM::LoadOp::create(
        builder, loc, pointer, offsetPointer(tensors, start + offsetof(attune_tensor, data)));
    auto descriptor = MemRefDescriptor::poison(builder, loc, converter.convertType(type));
    descriptor.setAllocatedPtr(builder, loc, data);
    descriptor.setAlignedPtr(builder, loc, data);
    descriptor.setConstantOffset(builder, loc, 0);
    for (int64_t k = 0; k < type.getRank(); ++k) {
      const int64_t at = start + k * sizeof(int64_t);
      descriptor.setSize(builder, loc, k, loadI64(tensors, at + offsetof(attune_tensor, sizes)));
      descriptor.setStride(builder, loc, k,
                           loadI64(tensors, at + offsetof(attune_tensor, strides)));
    }
    return cast(type, descriptor);
  }

  func::FuncOp function;
  OpBuilder builder;
  Location loc;
  LLVMTypeConverter converter;
  Type pointer;
  Block *entry = nullptr;
  unsigned tensors = 0;
};

struct BindArgumentsPass : impl::BindArgumentsBase<BindArgumentsPass> {
  void runOnOperation() override {
    for (StringRef name : {"pack", "forward"})
      if (auto function = getOperation().lookupSymbol<func::FuncOp>(name))
        ArgumentBinder(function).run();
  }
};
} // namespace
} // namespace attune
