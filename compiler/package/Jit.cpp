//===- Jit.cpp - Generated code in this process ---------------------------===//
#include "package/Jit.h"

#include "codegen/cpu/MachineCode.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace attune {

struct LoadedModule::Engine {
  std::unique_ptr<orc::LLJIT> jit;
};

LoadedModule::LoadedModule() : engine(std::make_unique<Engine>()) {}
LoadedModule::~LoadedModule() = default;

/// Code for another architecture would load like any other.
static Error checkRunsHere(MemoryBufferRef object) {
  auto file = object::ObjectFile::createObjectFile(object);
  if (!file)
    return file.takeError();
  const Triple here(sys::getProcessTriple());
  if ((*file)->getArch() == here.getArch())
    return Error::success();
  return createStringError("%s: the code is for %s and cannot run on this machine, which is %s",
                           object.getBufferIdentifier().str().c_str(),
                           Triple::getArchTypeName((*file)->getArch()).str().c_str(),
                           here.getArchName().str().c_str());
}

/// The functions of the runtime that generated code calls.
static Error defineRuntime(orc::LLJIT &jit, ArrayRef<LoadedModule::Symbol> added) {
  orc::SymbolMap symbols;
  auto define = [&](StringRef name, auto *function) {
    symbols[jit.mangleAndIntern(name)] = {orc::ExecutorAddr::fromPtr(function),
                                          JITSymbolFlags::Exported | JITSymbolFlags::Callable};
  };
  define("attune_parallel_for", &attune_parallel_for);
  define("attune_forward", &attune_forward);
  define("attune_pack", &attune_pack);
  define("attune_workspace_size", &attune_workspace_size);
  for (const auto &[name, address] : added)
    define(name, address);
  return jit.getMainJITDylib().define(orc::absoluteSymbols(std::move(symbols)));
}

Expected<std::unique_ptr<LoadedModule>>
LoadedModule::load(ArrayRef<char> object, const std::string &name, ArrayRef<Symbol> symbols) {
  auto buffer = MemoryBuffer::getMemBufferCopy(StringRef(object.data(), object.size()), name);
  if (Error error = checkRunsHere(*buffer))
    return error;
  cpu::registerBackEnds();
  auto jit = orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  if (Error error = defineRuntime(**jit, symbols))
    return error;
  if (Error error = (*jit)->addObjectFile(std::move(buffer)))
    return error;
  auto address = (*jit)->lookup(name + "_module");
  if (!address)
    return address.takeError();
  std::unique_ptr<LoadedModule> loaded(new LoadedModule());
  loaded->engine->jit = std::move(*jit);
  loaded->descriptor = address->toPtr<const attune_module *>();
  return loaded;
}

} // namespace attune
