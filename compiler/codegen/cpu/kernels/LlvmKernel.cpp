//===- LlvmKernel.cpp - Kernels that are written as LLVM IR ---------------===//

#include "codegen/cpu/kernels/LlvmKernel.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"
#include <numeric>

using namespace llvm;

namespace attune::cpu {

namespace {
// Byte offsets in halide_buffer_t and halide_dimension_t of HalideRuntime.h.
constexpr int64_t kHost = 16, kDimensions = 40, kDimensionBytes = 16, kExtent = 4, kStride = 8;
} // namespace

FunctionType *kernelType(ArrayRef<KernelArgument> arguments, LLVMContext &context) {
  SmallVector<Type *> types;
  for (const KernelArgument &argument : arguments)
    switch (argument.kind) {
    case KernelArgument::Kind::Buffer:
      types.push_back(PointerType::get(context, 0));
      break;
    case KernelArgument::Kind::Int32:
      types.push_back(Type::getInt32Ty(context));
      break;
    case KernelArgument::Kind::Float32:
      types.push_back(Type::getFloatTy(context));
      break;
    case KernelArgument::Kind::Address:
      types.push_back(Type::getInt64Ty(context));
      break;
    }
  return FunctionType::get(Type::getInt32Ty(context), types, /*isVarArg=*/false);
}

LlvmKernelBuilder::LlvmKernelBuilder(const Kernel &description)
    : kernel(description), module(description.symbol, context), builder(context) {
  function = Function::Create(kernelType(kernel.arguments, context), GlobalValue::ExternalLinkage,
                              kernel.symbol, module);
  builder.SetInsertPoint(BasicBlock::Create(context, "entry", function));
  FastMathFlags flags;
  flags.setAllowContract();
  builder.setFastMathFlags(flags);
  buffers.resize(kernel.arguments.size());
  integers.resize(kernel.arguments.size());
  for (size_t k = 0; k < kernel.arguments.size(); ++k) {
    Value *value = function->getArg(k);
    if (kernel.arguments[k].kind == KernelArgument::Kind::Buffer)
      readBuffer(value, kernel.arguments[k], buffers[k]);
    else if (kernel.arguments[k].kind == KernelArgument::Kind::Int32)
      integers[k] = builder.CreateSExt(value, builder.getInt64Ty());
  }
}

/// Halide counts dimensions from the innermost.
void LlvmKernelBuilder::readBuffer(Value *pointer, const KernelArgument &argument,
                                   KernelBuffer &buffer) {
  auto field = [&](Type *type, Value *base, int64_t offset) {
    return builder.CreateLoad(type, builder.CreateConstGEP1_64(builder.getInt8Ty(), base, offset));
  };
  buffer.elementBytes = elementBytes(argument.type);
  buffer.data = field(builder.getPtrTy(), pointer, kHost);
  Value *dimensions = field(builder.getPtrTy(), pointer, kDimensions);
  for (int64_t k = argument.rank - 1; k >= 0; --k) {
    auto read = [&](int64_t offset) {
      Value *value = field(builder.getInt32Ty(), dimensions, k * kDimensionBytes + offset);
      return builder.CreateSExt(value, builder.getInt64Ty());
    };
    buffer.extents.push_back(read(kExtent));
    buffer.strides.push_back(k == 0 ? index(1) : read(kStride));
  }
}

Value *LlvmKernelBuilder::roundedUp(Value *value, int64_t unit) {
  return roundedDown(builder.CreateAdd(value, index(unit - 1)), unit);
}

Value *LlvmKernelBuilder::roundedDown(Value *value, int64_t unit) {
  return builder.CreateMul(builder.CreateUDiv(value, index(unit)), index(unit));
}

Value *LlvmKernelBuilder::lanesBelow(Value *limit, int64_t lanes) {
  SmallVector<uint32_t> numbers(lanes);
  std::iota(numbers.begin(), numbers.end(), 0);
  Value *limits =
      builder.CreateVectorSplat(lanes, builder.CreateTrunc(limit, builder.getInt32Ty()));
  return builder.CreateICmpSLT(ConstantDataVector::get(context, numbers), limits);
}

Value *LlvmKernelBuilder::least(Value *a, Value *b) {
  return builder.CreateSelect(builder.CreateICmpSLT(a, b), a, b);
}

Value *LlvmKernelBuilder::most(Value *a, Value *b) {
  return builder.CreateSelect(builder.CreateICmpSGT(a, b), a, b);
}

Value *LlvmKernelBuilder::address(const KernelBuffer &buffer, ArrayRef<Value *> indices) {
  Value *offset = index(0);
  for (auto [position, stride] : zip_equal(indices, buffer.strides))
    offset = builder.CreateAdd(offset, builder.CreateMul(position, stride));
  return builder.CreateGEP(builder.getIntNTy(buffer.elementBytes * 8), buffer.data, offset);
}

LlvmKernelBuilder::Carried
LlvmKernelBuilder::loop(Value *from, Value *to, int64_t step, Carried carried,
                        function_ref<Carried(Value *, ArrayRef<Value *>)> body) {
  BasicBlock *before = builder.GetInsertBlock();
  auto create = [&](const char *name) { return BasicBlock::Create(context, name, function); };
  BasicBlock *head = create("head"), *inside = create("body"), *after = create("after");
  builder.CreateBr(head);
  builder.SetInsertPoint(head);
  PHINode *i = builder.CreatePHI(builder.getInt64Ty(), 2);
  i->addIncoming(from, before);
  Carried current;
  for (Value *value : carried) {
    PHINode *phi = builder.CreatePHI(value->getType(), 2);
    phi->addIncoming(value, before);
    current.push_back(phi);
  }
  Value *next = builder.CreateAdd(i, index(step));
  builder.CreateCondBr(builder.CreateICmpSLE(next, to), inside, after);
  builder.SetInsertPoint(inside);
  Carried results = body(i, current);
  i->addIncoming(next, builder.GetInsertBlock());
  for (auto [phi, result] : zip_equal(current, results))
    cast<PHINode>(phi)->addIncoming(result, builder.GetInsertBlock());
  builder.CreateBr(head);
  builder.SetInsertPoint(after);
  return current;
}

void LlvmKernelBuilder::loop(Value *from, Value *to, int64_t step,
                             function_ref<void(Value *)> body) {
  loop(from, to, step, Carried(), [&](Value *i, ArrayRef<Value *>) {
    body(i);
    return Carried();
  });
}

void LlvmKernelBuilder::when(Value *condition, function_ref<void()> body) {
  BasicBlock *then = BasicBlock::Create(context, "then", function);
  BasicBlock *after = BasicBlock::Create(context, "after", function);
  builder.CreateCondBr(condition, then, after);
  builder.SetInsertPoint(then);
  body();
  builder.CreateBr(after);
  builder.SetInsertPoint(after);
}

Expected<Kernel> LlvmKernelBuilder::finish() {
  builder.CreateRet(builder.getInt32(0));
  std::string message;
  raw_string_ostream out(message);
  if (verifyModule(module, &out))
    return createStringError("kernel " + kernel.symbol + ": " + message);
  raw_string_ostream bitcode(kernel.bitcode);
  WriteBitcodeToFile(module, bitcode);
  return kernel;
}

} // namespace attune::cpu
