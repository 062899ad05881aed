//===- Session.h - Calls of a compiled module -------------------*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_SESSION_H
#define ATTUNE_PACKAGE_SESSION_H

#include "attune/attune.hpp"
#include "frontend/Interface.h"
#include "package/Jit.h"

namespace attune {

/// A compiled module in this process with everything that a call needs. Errors are what the runtime
/// says of a call.
class Session {
public:
  /// Loads an object that exports NAME_module; 0 threads: one per CPU. `symbols` as in
  /// LoadedModule::load.
  static llvm::Expected<std::unique_ptr<Session>>
  create(llvm::ArrayRef<char> object, const std::string &name, int threads,
         llvm::ArrayRef<LoadedModule::Symbol> symbols = {});

  /// Packs parameters, in the order of interfaceParameters.
  llvm::Error pack(llvm::ArrayRef<attune_tensor> parameters);
  /// Runs forward; `tensors` are inputs then outputs in interface order.
  llvm::Error forward(llvm::ArrayRef<attune_tensor> tensors);
  /// Allocates the workspace for calls of these sizes.
  llvm::Error prepare(const CallSizes &sizes);
  size_t workspaceBytes() const { return workspace.size(); }

private:
  Session(attune::Context context) : context(std::move(context)) {}

  attune::Context context;
  std::unique_ptr<LoadedModule> loaded;
  attune::AlignedBuffer packed, workspace;
};

} // namespace attune

#endif
