//===- KernelJit.cpp - Runs generated kernels in the test process ---------===//

#include "KernelJit.h"
#include "codegen/cpu/kernels/FastMath.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"

namespace attune::cpu::test {

Buffer::Buffer(void *data, halide_type_t type, const std::vector<int> &extents,
               const std::vector<int> &strides) {
  const size_t rank = extents.size();
  int dense = 1;
  for (size_t i = 0; i < rank; ++i) {
    const size_t outer = rank - 1 - i;
    dimensions[i] = halide_dimension_t(0, extents[outer], strides.empty() ? dense : strides[outer]);
    dense *= extents[outer];
  }
  buffer.host = static_cast<uint8_t *>(data);
  buffer.type = type;
  buffer.dimensions = static_cast<int>(rank);
  buffer.dim = dimensions.data();
}

static void optimize(llvm::Module &module, llvm::TargetMachine *machine,
                     llvm::OptimizationLevel level) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  if (level == llvm::OptimizationLevel::O0)
    return;
  builder.buildPerModuleDefaultPipeline(level).run(module, modules);
}

std::vector<uint64_t> *fetchedAddresses = nullptr;

static void recordFetch(uint64_t address) {
  if (fetchedAddresses)
    fetchedAddresses->push_back(address);
}

static void createRecord(llvm::IRBuilder<> &builder, llvm::Value *address) {
  auto *type = llvm::FunctionType::get(builder.getVoidTy(), {builder.getInt64Ty()}, false);
  llvm::Value *record = builder.CreateIntToPtr(
      builder.getInt64(reinterpret_cast<uint64_t>(&recordFetch)), builder.getPtrTy());
  builder.CreateCall(type, record, {address});
}

/// What kernels call to prefetch records the address, and returns its value.
static void definePrefetch(llvm::Module &module) {
  for (const char *name : {prefetchFunction, prefetchIndexFunction})
    if (llvm::Function *function = module.getFunction(name)) {
      llvm::IRBuilder<> builder(llvm::BasicBlock::Create(module.getContext(), "entry", function));
      createRecord(builder, function->getArg(1));
      builder.CreateRet(function->getArg(0));
    }
}

/// Prefetches of kernels in LLVM IR are recorded, too.
static void recordPrefetches(llvm::Module &module) {
  llvm::Function *prefetch = llvm::Intrinsic::getDeclarationIfExists(
      &module, llvm::Intrinsic::prefetch, {llvm::PointerType::get(module.getContext(), 0)});
  if (!prefetch)
    return;
  for (llvm::User *user : llvm::make_early_inc_range(prefetch->users())) {
    auto *call = llvm::cast<llvm::CallInst>(user);
    llvm::IRBuilder<> builder(call);
    createRecord(builder, builder.CreatePtrToInt(call->getArgOperand(0), builder.getInt64Ty()));
    call->eraseFromParent();
  }
}

JitKernel::JitKernel(const Kernel &kernel, llvm::OptimizationLevel level) {
  static const bool initialized =
      !llvm::InitializeNativeTarget() && !llvm::InitializeNativeTargetAsmPrinter();
  if (!initialized)
    llvm::report_fatal_error("no native target");
  llvm::ExitOnError check("JitKernel: ");
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module =
      check(llvm::parseBitcodeFile(llvm::MemoryBufferRef(kernel.bitcode, kernel.symbol), *context));
  cutFastMathFlags(*module);
  definePrefetch(*module);
  recordPrefetches(*module);
  if (llvm::verifyModule(*module, &llvm::errs()))
    llvm::report_fatal_error("broken kernel");
  auto builder = check(llvm::orc::JITTargetMachineBuilder::detectHost());
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::Aggressive);
  auto machine = check(builder.createTargetMachine());
  module->setDataLayout(machine->createDataLayout());
  optimize(*module, machine.get(), level);
  for (const llvm::Function &function : *module)
    if (function.isDeclaration() && !function.isIntrinsic())
      undefined.push_back(function.getName().str());
  parameters = module->getFunction(kernel.symbol)->arg_size();
  jit = check(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create());
  check(jit->addIRModule(llvm::orc::ThreadSafeModule(std::move(module), std::move(context))));
  address = check(jit->lookup(kernel.symbol)).toPtr<void *>();
}

} // namespace attune::cpu::test
