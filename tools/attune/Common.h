//===- Common.h - What the commands of attune share -------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_COMMON_H
#define ATTUNE_TOOLS_ATTUNE_COMMON_H

#include "attune/attune.hpp"
#include "frontend/Interface.h"
#include "package/Jit.h"
#include "pipeline/Compiler.h"
#include <map>

namespace attune::tool {

/// Options that every command with a CONFIG takes.
struct ConfigOptions {
  std::string config;
  std::vector<std::string> overrides;
  std::string target;
  std::string schedule; ///< a schedule file, or ""
};

/// Reads and checks the configuration, resolves the target, reads the schedule, compiles.
llvm::Expected<CompiledModule> compileConfig(const ConfigOptions &options,
                                             CompileOptions compileOptions = {});

/// A compiled module in this process with everything that a call needs.
class Session {
public:
  static llvm::Expected<std::unique_ptr<Session>> create(const CompiledModule &compiled,
                                                         int threads);

  /// Packs parameters, in the order of interfaceParameters.
  llvm::Error pack(llvm::ArrayRef<attune_tensor> parameters);
  /// Runs forward; `tensors` are inputs then outputs in interface order.
  llvm::Error forward(llvm::ArrayRef<attune_tensor> tensors);
  /// Allocates the workspace for calls of these sizes.
  void prepare(int64_t batch, int64_t target, int64_t source);
  size_t workspaceBytes() const { return workspace.size(); }

private:
  Session(attune::Context context) : context(std::move(context)) {}

  attune::Context context;
  std::unique_ptr<LoadedModule> loaded;
  attune::AlignedBuffer packed, workspace;
};

// The commands; each returns the exit status after printing its errors.
struct CompileArguments {
  ConfigOptions config;
  std::string directory, emit = "obj", dumpDirectory;
};
llvm::Error runCompile(const CompileArguments &arguments);

struct RunArguments {
  ConfigOptions config;
  std::string weights, inputs, output, prefix;
  int threads = 0;
  bool check = false;
};
llvm::Error runRun(const RunArguments &arguments);

struct BenchArguments {
  ConfigOptions config;
  int64_t batch = 1;
  std::optional<int64_t> targetLength, sourceLength; ///< the source's default is the target's
  int threads = 1;
  bool json = false;
};
llvm::Error runBench(const BenchArguments &arguments);

} // namespace attune::tool

#endif
