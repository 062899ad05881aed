//===- LlvmModule.cpp - LLVM dialect and kernels to one LLVM module -------===//
#include "codegen/cpu/LlvmModule.h"

#include "codegen/cpu/KernelBridge.h"
#include "codegen/cpu/kernels/FastMath.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/Utils/LowerMemIntrinsics.h"
#include <atomic>
#include <mutex>
#include <thread>

using namespace llvm;

namespace attune::cpu {

namespace {
/// Generates kernels on several threads; null ones are left out.
Error generateAll(ArrayRef<const KernelSpec *> specs, const KernelTarget &target,
                  MutableArrayRef<Kernel> kernels) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  Error failure = Error::success();
  auto work = [&] {
    for (size_t index; (index = next++) < specs.size();) {
      if (!specs[index])
        continue;
      Expected<Kernel> kernel =
          std::visit([&](const auto &spec) { return generateKernel(spec, target); }, *specs[index]);
      if (kernel) {
        kernels[index] = std::move(*kernel);
        continue;
      }
      std::lock_guard<std::mutex> lock(mutex);
      failure = joinErrors(std::move(failure), kernel.takeError());
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned k = 1; k < std::min(4u, std::thread::hardware_concurrency()); ++k)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  return failure;
}
} // namespace

Expected<std::vector<Kernel>> generateKernels(const KernelSet &set, const KernelTarget &target,
                                              KernelCache *cache) {
  std::vector<const KernelSpec *> specs;
  std::vector<Kernel> kernels;
  for (const auto &[symbol, spec] : set) {
    const Kernel *known = cache ? cache->find(symbol) : nullptr;
    specs.push_back(known ? nullptr : &spec);
    kernels.push_back(known ? *known : Kernel());
  }
  if (Error failure = generateAll(specs, target, kernels))
    return std::move(failure);
  for (auto [spec, kernel] : zip(specs, kernels))
    if (cache && spec)
      cache->add(kernel);
  return kernels;
}

namespace {
/// Parses a kernel's bitcode and renames its function, so that the bridge can have its symbol.
Expected<std::unique_ptr<Module>> parseKernel(const Kernel &kernel, StringRef name,
                                              LLVMContext &context) {
  auto buffer = MemoryBufferRef(kernel.bitcode, kernel.symbol);
  Expected<std::unique_ptr<Module>> module = parseBitcodeFile(buffer, context);
  if (!module)
    return module;
  Function *function = (*module)->getFunction(kernel.symbol);
  if (!function)
    return createStringError("kernel %s: Halide's bitcode does not define it",
                             kernel.symbol.c_str());
  function->setName(name);
  return module;
}

/// Defines what kernels call to prefetch, as a fetch into the second-level cache.
void definePrefetch(Module &module, StringRef name) {
  Function *function = module.getFunction(name);
  if (!function)
    return;
  IRBuilder<> builder(BasicBlock::Create(module.getContext(), "entry", function));
  Value *pointer = builder.CreateIntToPtr(function->getArg(1), builder.getPtrTy());
  constexpr int read = 0, secondLevel = 2, data = 1;
  builder.CreateIntrinsic(
      Intrinsic::prefetch, {pointer->getType()},
      {pointer, builder.getInt32(read), builder.getInt32(secondLevel), builder.getInt32(data)});
  builder.CreateRet(function->getArg(0));
  function->setLinkage(GlobalValue::InternalLinkage);
  function->addFnAttr(Attribute::AlwaysInline);
}

/// Writes memset out as loops, which stay loops: generated code calls no library.
void expandMemsets(Module &module) {
  for (Function &function : module) {
    SmallVector<MemSetInst *> calls;
    for (Instruction &instruction : instructions(function))
      if (auto *call = dyn_cast<MemSetInst>(&instruction))
        calls.push_back(call);
    for (MemSetInst *call : calls) {
      expandMemSetAsLoop(call);
      call->eraseFromParent();
    }
    function.addFnAttr("no-builtins");
  }
}

/// One target for everything, so that functions can be inlined into each other and wide vectors
/// stay legal.
void stampTarget(Module &module, const TargetInfo &target) {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    for (StringRef attribute : {"target-cpu", "target-features", "tune-cpu", "prefer-vector-width",
                                "min-legal-vector-width", "reciprocal-estimates"})
      function.removeFnAttr(attribute);
    function.addFnAttr("target-cpu", target.instructionSet);
    function.addFnAttr("tune-cpu", target.cpu);
    if (!target.features.empty())
      function.addFnAttr("target-features", target.features);
    function.addFnAttr("prefer-vector-width", std::to_string(target.kernels.vectorLanes * 32));
    function.addFnAttr(Attribute::NoUnwind);
    // A frame pointer costs a register that the tile kernels need.
    function.addFnAttr("frame-pointer", "none");
  }
}
} // namespace

static void defineTimedBridges(Module &module, const KernelSet &kernels,
                               const KernelTarget &target) {
  unsigned index = 0;
  for (const auto &entry : kernels) {
    const std::vector<TimedKernel> parts = timedKernels(entry.second, target);
    Kernel called =
        std::visit([&](const auto &spec) { return describeKernel(spec, target); }, entry.second);
    defineTimedBridge(module, called, parts, index);
    index += parts.size();
  }
}

Expected<std::unique_ptr<Module>> buildLlvmModule(mlir::ModuleOp source,
                                                  const std::vector<Kernel> &kernels,
                                                  const KernelSet *profiled,
                                                  const TargetInfo &target, LLVMContext &context) {
  mlir::registerBuiltinDialectTranslation(*source.getContext());
  mlir::registerLLVMDialectTranslation(*source.getContext());
  std::unique_ptr<Module> module = mlir::translateModuleToLLVMIR(source, context);
  if (!module)
    return createStringError("the LLVM dialect module could not be translated to LLVM IR");
  module->setTargetTriple(Triple(target.triple));
  if (profiled)
    defineTimedBridges(*module, *profiled, target.kernels);
  for (const Kernel &kernel : kernels) {
    std::string name = kernelFunction(kernel.symbol);
    if (!profiled)
      defineBridge(*module, kernel, name);
    Expected<std::unique_ptr<Module>> part = parseKernel(kernel, name, context);
    if (!part)
      return part;
    (*part)->setTargetTriple(module->getTargetTriple());
    (*part)->setDataLayout(module->getDataLayout());
    if (NamedMDNode *flags = (*part)->getModuleFlagsMetadata())
      flags->eraseFromParent();
    if (Linker::linkModules(*module, std::move(*part)))
      return createStringError("kernel %s does not link into the module", kernel.symbol.c_str());
    module->getFunction(name)->addFnAttr(Attribute::NoInline);
  }
  for (StringRef name : {prefetchFunction, prefetchIndexFunction})
    definePrefetch(*module, name);
  expandMemsets(*module);
  cutFastMathFlags(*module);
  stampTarget(*module, target);
  return module;
}

} // namespace attune::cpu
