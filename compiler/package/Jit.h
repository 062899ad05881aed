//===- Jit.h - Generated code in this process -------------------*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_JIT_H
#define ATTUNE_PACKAGE_JIT_H

#include "attune/attune.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace attune {

/// An object file loaded into this process. The module stays valid as long as this lives.
class LoadedModule {
public:
  /// A function that generated code calls, and its address.
  using Symbol = std::pair<llvm::StringRef, void *>;

  /// Loads an object that exports NAME_module; calls of the runtime reach the one in this process,
  /// but for those that `symbols` replace or add to it.
  static llvm::Expected<std::unique_ptr<LoadedModule>>
  load(llvm::ArrayRef<char> object, const std::string &name, llvm::ArrayRef<Symbol> symbols = {});
  ~LoadedModule();

  const attune_module &module() const { return *descriptor; }

private:
  LoadedModule();

  struct Engine;
  std::unique_ptr<Engine> engine;
  const attune_module *descriptor = nullptr;
};

} // namespace attune

#endif
