//===- KernelBridge.cpp - From memrefs to Halide's buffers ----------------===//
#include "codegen/cpu/KernelBridge.h"

#include "codegen/cpu/kernels/LlvmKernel.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace attune::cpu {

namespace {
// halide_type_code_t of HalideRuntime.h
constexpr uint8_t kHalideInt = 0, kHalideUInt = 1, kHalideFloat = 2, kHalideBfloat = 3;

struct HalideType {
  uint8_t code, bytes;
};
/// By ElementType.
constexpr HalideType kHalideTypes[] = {
    {kHalideFloat, 4}, {kHalideUInt, 1}, {kHalideInt, 4}, {kHalideBfloat, 2}, {kHalideFloat, 2}};

class BridgeBuilder {
public:
  BridgeBuilder(Function &function)
      : builder(BasicBlock::Create(function.getContext(), "entry", &function)),
        arguments(function.arg_begin()) {
    Type *i32 = builder.getInt32Ty(), *i64 = builder.getInt64Ty(), *pointer = builder.getPtrTy();
    // min, extent, stride, flags
    dimensionType = StructType::get(i32, i32, i32, i32);
    // device, interface, host, flags, type {code, bits, lanes}, dimensions, dim, padding
    bufferType = StructType::get(
        i64, pointer, pointer, i64,
        StructType::get(builder.getInt8Ty(), builder.getInt8Ty(), builder.getInt16Ty()), i32,
        pointer, pointer);
  }

  /// The values that a kernel takes, from the arguments of the bridge.
  SmallVector<Value *> convert(const Kernel &kernel) {
    SmallVector<Value *> values;
    for (const KernelArgument &argument : kernel.arguments) {
      if (argument.kind == KernelArgument::Kind::Address)
        values.push_back(builder.CreatePtrToInt(hosts[argument.buffer], builder.getInt64Ty()));
      else if (argument.kind == KernelArgument::Kind::Buffer)
        values.push_back(buffer(argument));
      else
        values.push_back(&*arguments++);
      hosts.resize(values.size());
      extents.resize(values.size());
    }
    return values;
  }

  void call(FunctionCallee target, ArrayRef<Value *> values) { builder.CreateCall(target, values); }

  /// Calls a part of the kernel between readings of the clock.
  void callTimed(FunctionCallee target, const TimedKernel &part, unsigned index,
                 ArrayRef<Value *> values) {
    Module &module = *builder.GetInsertBlock()->getModule();
    Type *i64 = builder.getInt64Ty();
    Value *start = builder.CreateCall(module.getOrInsertFunction(profileNow, i64));
    SmallVector<Value *> operands;
    for (unsigned operand : part.operands)
      operands.push_back(values[operand]);
    builder.CreateCall(target, operands);
    auto add = module.getOrInsertFunction(profileAdd, builder.getVoidTy(), builder.getInt32Ty(),
                                          i64, i64, i64);
    builder.CreateCall(add, {builder.getInt32(index), start, amount(part.flops, values),
                             amount(part.bytes, values)});
  }

  void finish() { builder.CreateRetVoid(); }

private:
  Value *amount(const Work &work, ArrayRef<Value *> values) {
    Value *sum = builder.getInt64(0);
    for (const WorkTerm &term : work) {
      Value *product = builder.getInt64(term.factor);
      for (const WorkExtent &extent : term.extents) {
        const bool isValue = extent.dimension == WorkExtent::kValue;
        Value *count = isValue ? builder.CreateSExt(values[extent.argument], builder.getInt64Ty())
                               : extents[extent.argument][extent.dimension];
        if (extent.multiple > 1) {
          Value *multiple = builder.getInt64(extent.multiple);
          Value *last = builder.CreateAdd(count, builder.getInt64(extent.multiple - 1));
          count = builder.CreateMul(builder.CreateUDiv(last, multiple), multiple);
        }
        product = builder.CreateMul(product, count);
      }
      sum = builder.CreateAdd(sum, product);
    }
    return sum;
  }

  /// Consumes allocated, aligned, offset, sizes, strides; gives a halide_buffer_t*. Halide counts
  /// dimensions from the innermost.
  Value *buffer(const KernelArgument &argument) {
    const HalideType element = kHalideTypes[static_cast<int>(argument.type)];
    const unsigned rank = argument.rank;
    ++arguments;
    Value *aligned = &*arguments++, *offset = &*arguments++;
    Value *host = builder.CreateGEP(builder.getIntNTy(element.bytes * 8), aligned, offset);
    hosts.push_back(host);
    SmallVector<Value *> sizes, strides;
    for (unsigned k = 0; k < rank; ++k)
      sizes.push_back(&*arguments++);
    for (unsigned k = 0; k < rank; ++k)
      strides.push_back(&*arguments++);
    extents.push_back(sizes);
    Value *dimensions = builder.CreateAlloca(ArrayType::get(dimensionType, rank));
    for (unsigned k = 0; k < rank; ++k) {
      Value *dimension = builder.CreateConstGEP1_32(dimensionType, dimensions, k);
      storeField(dimensionType, dimension, 0, builder.getInt32(0));
      storeField(dimensionType, dimension, 1, narrow(sizes[rank - 1 - k]));
      storeField(dimensionType, dimension, 2, narrow(strides[rank - 1 - k]));
      storeField(dimensionType, dimension, 3, builder.getInt32(0));
    }
    Value *result = builder.CreateAlloca(bufferType);
    Constant *null = ConstantPointerNull::get(builder.getPtrTy());
    Constant *type = ConstantStruct::get(cast<StructType>(bufferType->getElementType(4)),
                                         {builder.getInt8(element.code),
                                          builder.getInt8(static_cast<uint8_t>(element.bytes * 8)),
                                          builder.getInt16(1)});
    Value *fields[] = {builder.getInt64(0),    null,       host, builder.getInt64(0), type,
                       builder.getInt32(rank), dimensions, null};
    for (auto [index, field] : enumerate(fields))
      storeField(bufferType, result, index, field);
    return result;
  }

  Value *narrow(Value *value) { return builder.CreateTrunc(value, builder.getInt32Ty()); }

  void storeField(StructType *type, Value *base, unsigned index, Value *value) {
    builder.CreateStore(value, builder.CreateStructGEP(type, base, index));
  }

  IRBuilder<> builder;
  Function::arg_iterator arguments;
  SmallVector<Value *> hosts;                ///< data of buffer arguments, by position
  SmallVector<SmallVector<Value *>> extents; ///< of buffer arguments, by position
  StructType *dimensionType, *bufferType;
};
} // namespace

/// The function of a kernel or of a part of one.
static FunctionCallee declareKernel(Module &module, ArrayRef<KernelArgument> arguments,
                                    StringRef name) {
  return module.getOrInsertFunction(name, kernelType(arguments, module.getContext()));
}

static void makeInline(Function &function) {
  function.setLinkage(GlobalValue::InternalLinkage);
  function.addFnAttr(Attribute::AlwaysInline);
}

std::string kernelFunction(StringRef symbol) { return (symbol + "_kernel").str(); }

void defineBridge(Module &module, const Kernel &kernel, StringRef target) {
  Function *function = module.getFunction(kernel.symbol);
  if (!function)
    return; // nothing calls it any more
  BridgeBuilder bridge(*function);
  SmallVector<Value *> values = bridge.convert(kernel);
  bridge.call(declareKernel(module, kernel.arguments, target), values);
  bridge.finish();
  makeInline(*function);
}

void defineTimedBridge(Module &module, const Kernel &kernel, ArrayRef<TimedKernel> parts,
                       unsigned index) {
  Function *function = module.getFunction(kernel.symbol);
  if (!function)
    return;
  BridgeBuilder bridge(*function);
  SmallVector<Value *> values = bridge.convert(kernel);
  for (const TimedKernel &part : parts) {
    SmallVector<KernelArgument> arguments;
    for (unsigned operand : part.operands)
      arguments.push_back(kernel.arguments[operand]);
    bridge.callTimed(declareKernel(module, arguments, kernelFunction(part.symbol)), part, index++,
                     values);
  }
  bridge.finish();
  makeInline(*function);
}

} // namespace attune::cpu
