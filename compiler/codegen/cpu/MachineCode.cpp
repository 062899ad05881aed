//===- MachineCode.cpp - LLVM module to assembly and object code ----------===//
#include "codegen/cpu/MachineCode.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include <mutex>

using namespace llvm;

namespace attune::cpu {

void registerBackEnds() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
  });
}

namespace {
Expected<std::unique_ptr<TargetMachine>> createMachine(const TargetInfo &info) {
  registerBackEnds();
  std::string message;
  Triple triple(info.triple);
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return createStringError("LLVM has no back end for %s: %s", info.triple.c_str(),
                             message.c_str());
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Standard; // fuse where an instruction says `contract`
  std::unique_ptr<TargetMachine> machine(
      target->createTargetMachine(triple, info.instructionSet, info.features, options, Reloc::PIC_,
                                  std::nullopt, CodeGenOptLevel::Aggressive));
  if (!machine)
    return createStringError("LLVM cannot generate code for cpu %s", info.instructionSet.c_str());
  return machine;
}

Error checkNoForeignCalls(const Module &module) {
  for (const Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty() &&
        !function.getName().starts_with("attune_"))
      return createStringError("generated code calls '%s', which is outside attune's runtime",
                               function.getName().str().c_str());
  return Error::success();
}
} // namespace

Error optimize(Module &module, const TargetInfo &target, ArrayRef<std::string> exported) {
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(target);
  if (!machine)
    return machine.takeError();
  module.setDataLayout((*machine)->createDataLayout());
  StringSet<> kept;
  for (const std::string &name : exported)
    kept.insert(name);
  internalizeModule(module,
                    [&](const GlobalValue &value) { return kept.contains(value.getName()); });

  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder passes(machine->get());
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(components);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, components, modules);
  passes.buildPerModuleDefaultPipeline(OptimizationLevel::O2).run(module, modules);
  return checkNoForeignCalls(module);
}

Expected<SmallVector<char, 0>> emitMachineCode(Module &module, const TargetInfo &target,
                                               MachineCodeKind kind) {
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(target);
  if (!machine)
    return machine.takeError();
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  auto type =
      kind == MachineCodeKind::Object ? CodeGenFileType::ObjectFile : CodeGenFileType::AssemblyFile;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, type))
    return createStringError("LLVM cannot emit this kind of file for %s", target.triple.c_str());
  passes.run(module);
  return bytes;
}

} // namespace attune::cpu
