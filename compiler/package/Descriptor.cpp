//===- Descriptor.cpp - What a generated object says of itself ------------===//
#include "package/Descriptor.h"

#include "attune/attune.h"
#include "frontend/Interface.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace attune {

namespace {
static_assert(ATTUNE_SIZE_BATCH == static_cast<int>(SizeSymbol::Batch));
static_assert(ATTUNE_SIZE_TARGET == static_cast<int>(SizeSymbol::Target));
static_assert(ATTUNE_SIZE_SOURCE == static_cast<int>(SizeSymbol::Source));

/// Builds the constants and functions. Struct types mirror attune/attune.h field by field.
class DescriptorBuilder {
public:
  DescriptorBuilder(Module &module, const Config &config)
      : module(module), config(config), builder(module.getContext()) {
    Type *i32 = builder.getInt32Ty(), *i64 = builder.getInt64Ty(), *pointer = builder.getPtrTy();
    sizeType = StructType::get(i32, i32, i64);
    argumentType =
        StructType::get(pointer, i32, i32, i32, i32, ArrayType::get(sizeType, ATTUNE_MAX_RANK));
    moduleType = StructType::get(i64, i32, i32, pointer, i64, i32, i32, pointer, pointer, i64,
                                 pointer, pointer, pointer);
  }

  std::vector<std::string> build(const DescriptorFacts &facts) {
    createModule(facts);
    std::vector<std::string> exported = {config.name + "_module"};
    Type *i32 = builder.getInt32Ty(), *i64 = builder.getInt64Ty(), *pointer = builder.getPtrTy();
    // attune_status NAME_forward(context, arguments)
    exported.push_back(forwardCall("forward", "attune_forward", i32, {pointer, pointer}));
    // size_t NAME_workspace_size(context, batch, target, source)
    exported.push_back(
        forwardCall("workspace_size", "attune_workspace_size", i64, {pointer, i64, i64, i64}));
    if (!parameters.empty()) {
      // attune_status NAME_pack(context, parameters, packed, packed_size)
      exported.push_back(forwardCall("pack", "attune_pack", i32, {pointer, pointer, pointer, i64}));
      exported.push_back(constantFunction("packed_size", facts.packedBytes));
    }
    return exported;
  }

private:
  Constant *integer(Type *type, uint64_t value) { return ConstantInt::get(type, value); }

  Constant *string(StringRef text) { return builder.CreateGlobalString(text, "", 0, &module); }

  Constant *size(const SymbolicSize &size) {
    Type *i32 = builder.getInt32Ty();
    return ConstantStruct::get(sizeType,
                               {integer(i32, static_cast<int>(size.symbol)), integer(i32, 0),
                                integer(builder.getInt64Ty(), size.factor)});
  }

  Constant *argument(const InterfaceTensor &tensor, uint32_t flags) {
    Type *i32 = builder.getInt32Ty();
    const uint32_t dtypes = tensor.type == InterfaceType::Mask
                                ? 1u << ATTUNE_BOOL | 1u << ATTUNE_UINT8
                                : 1u << ATTUNE_FLOAT32;
    SmallVector<Constant *> sizes;
    for (const SymbolicSize &entry : tensor.sizes)
      sizes.push_back(size(entry));
    sizes.resize(ATTUNE_MAX_RANK, Constant::getNullValue(sizeType));
    return ConstantStruct::get(
        argumentType, {string(tensor.name), integer(i32, dtypes), integer(i32, flags),
                       integer(i32, tensor.sizes.size()), integer(i32, 0),
                       ConstantArray::get(ArrayType::get(sizeType, ATTUNE_MAX_RANK), sizes)});
  }

  /// A private array of argument specifications; null when empty.
  Constant *table(ArrayRef<Constant *> entries) {
    if (entries.empty())
      return ConstantPointerNull::get(builder.getPtrTy());
    auto *type = ArrayType::get(argumentType, entries.size());
    return new GlobalVariable(module, type, /*isConstant=*/true, GlobalValue::PrivateLinkage,
                              ConstantArray::get(type, entries));
  }

  Constant *functionOrNull(StringRef name) {
    Function *function = module.getFunction(name);
    return function ? cast<Constant>(function) : ConstantPointerNull::get(builder.getPtrTy());
  }

  void createModule(const DescriptorFacts &facts) {
    // Rows of a module's tensors are read as one matrix; attention takes any strides.
    const uint32_t layout =
        config.op == Op::MultiheadAttention ? uint32_t(ATTUNE_ARGUMENT_EVEN_ROWS) : 0u;
    SmallVector<Constant *> arguments;
    for (const InterfaceTensor &tensor : interfaceInputs(config))
      arguments.push_back(argument(tensor, tensor.name == "attn_mask" ? 0 : layout));
    for (const InterfaceTensor &tensor : interfaceOutputs(config))
      arguments.push_back(argument(tensor, layout | ATTUNE_ARGUMENT_OUTPUT));
    for (const InterfaceTensor &tensor : interfaceParameters(config))
      parameters.push_back(argument(tensor, 0));
    Type *i32 = builder.getInt32Ty(), *i64 = builder.getInt64Ty();
    Constant *fields[] = {integer(i64, sizeof(attune_module)),
                          integer(i32, ATTUNE_ABI_VERSION),
                          integer(i32, facts.cpuFeatures),
                          string(config.name),
                          integer(i64, facts.hash),
                          integer(i32, arguments.size()),
                          integer(i32, parameters.size()),
                          table(arguments),
                          table(parameters),
                          integer(i64, facts.packedBytes),
                          functionOrNull("workspace_size"),
                          functionOrNull("forward_entry"),
                          functionOrNull("pack_entry")};
    descriptor =
        new GlobalVariable(module, moduleType, /*isConstant=*/true, GlobalValue::ExternalLinkage,
                           ConstantStruct::get(moduleType, fields), config.name + "_module");
  }

  /// NAME_suffix(context, rest...) -> callee(context, &NAME_module, rest...)
  std::string forwardCall(StringRef suffix, StringRef callee, Type *result,
                          ArrayRef<Type *> types) {
    Function *function = createFunction(suffix, result, types);
    SmallVector<Value *> values = {function->getArg(0), descriptor};
    SmallVector<Type *> calleeTypes = {types[0], builder.getPtrTy()};
    for (Argument &rest : drop_begin(function->args())) {
      values.push_back(&rest);
      calleeTypes.push_back(rest.getType());
    }
    FunctionCallee target = module.getOrInsertFunction(
        callee, FunctionType::get(result, calleeTypes, /*isVarArg=*/false));
    builder.CreateRet(builder.CreateCall(target, values));
    return function->getName().str();
  }

  std::string constantFunction(StringRef suffix, int64_t value) {
    Function *function = createFunction(suffix, builder.getInt64Ty(), {});
    builder.CreateRet(builder.getInt64(value));
    return function->getName().str();
  }

  Function *createFunction(StringRef suffix, Type *result, ArrayRef<Type *> types) {
    auto *function =
        Function::Create(FunctionType::get(result, types, /*isVarArg=*/false),
                         GlobalValue::ExternalLinkage, config.name + "_" + suffix, module);
    builder.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", function));
    return function;
  }

  Module &module;
  const Config &config;
  IRBuilder<> builder;
  StructType *sizeType, *argumentType, *moduleType;
  SmallVector<Constant *> parameters;
  GlobalVariable *descriptor = nullptr;
};
} // namespace

std::vector<std::string> addDescriptor(Module &module, const Config &config,
                                       const DescriptorFacts &facts) {
  return DescriptorBuilder(module, config).build(facts);
}

} // namespace attune
