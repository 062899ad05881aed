//===- Descriptor.cpp - What a generated object says of itself ------------===//
#include "package/Descriptor.h"

#include "attune/attune.h"
#include "package/InterfaceText.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Transforms/IPO/Internalize.h"

using namespace llvm;

namespace attune {

namespace {
// The structs of attune/attune.h that the descriptor consists of, field by field. A field that is
// added there and not here leaves a hole, which does not compile.
struct Field {
  size_t offset, size;
  bool isPointer;
};
#define ATTUNE_FIELD(type, name)                                                                   \
  Field {                                                                                          \
    offsetof(type, name), sizeof(decltype(type::name)), std::is_pointer_v<decltype(type::name)>    \
  }

constexpr Field kSizeFields[] = {
    ATTUNE_FIELD(attune_size_spec, symbol), ATTUNE_FIELD(attune_size_spec, reserved),
    ATTUNE_FIELD(attune_size_spec, factor), ATTUNE_FIELD(attune_size_spec, addend)};
constexpr Field kArgumentFields[] = {
    ATTUNE_FIELD(attune_argument_spec, name),     ATTUNE_FIELD(attune_argument_spec, dtypes),
    ATTUNE_FIELD(attune_argument_spec, flags),    ATTUNE_FIELD(attune_argument_spec, rank),
    ATTUNE_FIELD(attune_argument_spec, reserved), ATTUNE_FIELD(attune_argument_spec, sizes)};
constexpr Field kModuleFields[] = {ATTUNE_FIELD(attune_module, struct_size),
                                   ATTUNE_FIELD(attune_module, abi_version),
                                   ATTUNE_FIELD(attune_module, cpu_features),
                                   ATTUNE_FIELD(attune_module, name),
                                   ATTUNE_FIELD(attune_module, hash),
                                   ATTUNE_FIELD(attune_module, argument_count),
                                   ATTUNE_FIELD(attune_module, parameter_count),
                                   ATTUNE_FIELD(attune_module, arguments),
                                   ATTUNE_FIELD(attune_module, parameters),
                                   ATTUNE_FIELD(attune_module, packed_size),
                                   ATTUNE_FIELD(attune_module, workspace_size),
                                   ATTUNE_FIELD(attune_module, forward),
                                   ATTUNE_FIELD(attune_module, pack),
                                   ATTUNE_FIELD(attune_module, baked),
                                   ATTUNE_FIELD(attune_module, fallback)};
#undef ATTUNE_FIELD

/// Do the fields fill a struct of this size without holes?
template <size_t Count> constexpr bool fill(const Field (&fields)[Count], size_t size) {
  size_t end = 0;
  for (const Field &field : fields) {
    if (field.offset != end)
      return false;
    end += field.size;
  }
  return end == size;
}
static_assert(fill(kSizeFields, sizeof(attune_size_spec)));
static_assert(fill(kArgumentFields, sizeof(attune_argument_spec)));
static_assert(fill(kModuleFields, sizeof(attune_module)));
static_assert(sizeof(void *) == 8, "modules are 64-bit, as this process must be");
static_assert(ATTUNE_SIZE_BATCH == static_cast<int>(SizeSymbol::Batch));
static_assert(ATTUNE_SIZE_TARGET == static_cast<int>(SizeSymbol::Target));
static_assert(ATTUNE_SIZE_SOURCE == static_cast<int>(SizeSymbol::Source));

/// Query, key, value and out of a module are read and written as matrices of all their rows;
/// attention, masks and weights take any strides.
bool hasEvenRows(const Config &config, const InterfaceTensor &tensor) {
  return config.op == Op::MultiheadAttention &&
         is_contained({"query", "key", "value", "out"}, tensor.name);
}

std::string moduleSymbol(const Config &config, int position) {
  return config.name + (position == 0 ? "_module" : "_fallback_" + std::to_string(position));
}

std::string bakedSymbol(const Config &config) { return config.name + "_baked"; }

/// Builds the constants and functions.
class DescriptorBuilder {
public:
  DescriptorBuilder(Module &module, const Config &config)
      : module(module), config(config), builder(module.getContext()) {
    sizeType = structType(kSizeFields);
    sizesType = ArrayType::get(sizeType, ATTUNE_MAX_RANK);
    argumentType = structType(kArgumentFields);
    moduleType = structType(kModuleFields);
  }

  std::vector<std::string> build(const DescriptorFacts &facts) {
    createModule(facts);
    std::vector<std::string> exported = {moduleSymbol(config, facts.position)};
    if (facts.position > 0)
      return exported;
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
  /// The type of a struct; a field that is no pointer and no integer is the sizes of an argument.
  StructType *structType(ArrayRef<Field> fields) {
    SmallVector<Type *> types;
    for (const Field &field : fields) {
      if (field.isPointer)
        types.push_back(builder.getPtrTy());
      else
        types.push_back(field.size > sizeof(int64_t) ? static_cast<Type *>(sizesType)
                                                     : builder.getIntNTy(8 * field.size));
    }
    return StructType::get(module.getContext(), types);
  }

  Constant *integer(Type *type, uint64_t value) { return ConstantInt::get(type, value); }

  Constant *string(StringRef text) { return builder.CreateGlobalString(text, "", 0, &module); }

  Constant *size(const SymbolicSize &size) {
    Type *i32 = builder.getInt32Ty(), *i64 = builder.getInt64Ty();
    return ConstantStruct::get(sizeType,
                               {integer(i32, static_cast<int>(size.symbol)), integer(i32, 0),
                                integer(i64, size.factor), integer(i64, size.addend)});
  }

  Constant *argument(const InterfaceTensor &tensor, uint32_t flags) {
    Type *i32 = builder.getInt32Ty();
    if (hasEvenRows(config, tensor))
      flags |= ATTUNE_ARGUMENT_EVEN_ROWS;
    const uint32_t dtypes = tensor.type == InterfaceType::Mask
                                ? 1u << ATTUNE_BOOL | 1u << ATTUNE_UINT8
                                : 1u << interfaceDtype(tensor);
    SmallVector<Constant *> sizes;
    for (const SymbolicSize &entry : tensor.sizes)
      sizes.push_back(size(entry));
    sizes.resize(ATTUNE_MAX_RANK, Constant::getNullValue(sizeType));
    return ConstantStruct::get(argumentType,
                               {string(tensor.name), integer(i32, dtypes), integer(i32, flags),
                                integer(i32, tensor.sizes.size()), integer(i32, 0),
                                ConstantArray::get(sizesType, sizes)});
  }

  /// A private array of argument specifications; null when empty.
  Constant *table(ArrayRef<Constant *> entries) {
    if (entries.empty())
      return null();
    auto *type = ArrayType::get(argumentType, entries.size());
    return new GlobalVariable(module, type, /*isConstant=*/true, GlobalValue::PrivateLinkage,
                              ConstantArray::get(type, entries));
  }

  Constant *functionOrNull(StringRef name) {
    Function *function = module.getFunction(name);
    return function ? cast<Constant>(function) : null();
  }

  void createModule(const DescriptorFacts &facts) {
    SmallVector<Constant *> arguments;
    for (const InterfaceTensor &tensor : interfaceInputs(config))
      arguments.push_back(argument(tensor, 0));
    for (const InterfaceTensor &tensor : interfaceOutputs(config))
      arguments.push_back(argument(tensor, ATTUNE_ARGUMENT_OUTPUT));
    if (!facts.baked)
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
                          integer(i64, facts.baked ? 0 : facts.packedBytes),
                          functionOrNull("workspace_size"),
                          functionOrNull("forward_entry"),
                          facts.baked ? null() : functionOrNull("pack_entry"),
                          facts.baked ? elsewhere(bakedSymbol(config)) : null(),
                          facts.hasFallback ? elsewhere(moduleSymbol(config, facts.position + 1))
                                            : null()};
    descriptor = new GlobalVariable(
        module, moduleType, /*isConstant=*/true, GlobalValue::ExternalLinkage,
        ConstantStruct::get(moduleType, fields), moduleSymbol(config, facts.position));
  }

  Constant *null() { return ConstantPointerNull::get(builder.getPtrTy()); }

  /// A constant that is defined when the variants are linked.
  Constant *elsewhere(const std::string &name) {
    return new GlobalVariable(module, builder.getInt8Ty(), /*isConstant=*/true,
                              GlobalValue::ExternalLinkage, nullptr, name);
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
  StructType *sizeType = nullptr, *argumentType = nullptr, *moduleType = nullptr;
  ArrayType *sizesType = nullptr;
  SmallVector<Constant *> parameters;
  GlobalVariable *descriptor = nullptr;
};
} // namespace

std::vector<std::string> addDescriptor(Module &module, const Config &config,
                                       const DescriptorFacts &facts) {
  return DescriptorBuilder(module, config).build(facts);
}

Expected<std::unique_ptr<Module>> linkVariants(std::vector<std::unique_ptr<Module>> modules) {
  std::unique_ptr<Module> linked = std::move(modules.front());
  StringSet<> exported;
  for (const GlobalValue &value : linked->global_values())
    if (!value.isDeclaration() && !value.hasLocalLinkage())
      exported.insert(value.getName());
  for (std::unique_ptr<Module> &module : drop_begin(modules))
    if (Linker::linkModules(*linked, std::move(module)))
      return createStringError("the code of several targets does not link into one module");
  internalizeModule(*linked, [&](const GlobalValue &value) {
    return value.isDeclaration() || exported.contains(value.getName());
  });
  return linked;
}

void bakeParameters(Module &module, const Config &config, ArrayRef<float> block) {
  GlobalVariable *declared = module.getGlobalVariable(bakedSymbol(config));
  // As bytes, which are emitted as a whole.
  std::string bytes(ATTUNE_ALIGNMENT, '\0');
  bytes.append(reinterpret_cast<const char *>(block.data()), block.size() * sizeof(float));
  Constant *data =
      ConstantDataArray::getRaw(bytes, bytes.size(), Type::getInt8Ty(module.getContext()));
  auto *defined = new GlobalVariable(module, data->getType(), /*isConstant=*/true,
                                     GlobalValue::InternalLinkage, data);
  defined->setAlignment(Align(ATTUNE_ALIGNMENT));
  defined->takeName(declared);
  declared->replaceAllUsesWith(defined);
  declared->eraseFromParent();
}

} // namespace attune
