//===- Common.h - What the commands of attune share -------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_COMMON_H
#define ATTUNE_TOOLS_ATTUNE_COMMON_H

#include "attune/attune.hpp"
#include "frontend/Interface.h"
#include "package/Session.h"
#include "pipeline/Compiler.h"
#include "schedules/database/ScheduleDatabase.h"
#include <map>

namespace attune::tool {

/// Prints a line that begins with "attune: warning:" on stderr.
void warn(const std::string &text);

/// Options that every command with a CONFIG takes.
struct ConfigOptions {
  std::string config;
  std::vector<std::string> overrides;
  std::string target;
  std::string schedule;                                   ///< a schedule file, "default" or ""
  std::string database = ScheduleDatabase::defaultPath(); ///< "": no stored schedules
  bool noCache = false;
};

/// What the options of a command ask for.
struct CompileRequest {
  Config config;
  std::vector<cpu::TargetInfo> targets;
  CompileOptions options;
};
/// Reads and checks the configuration, resolves the targets, reads the schedule or the stored ones.
llvm::Expected<CompileRequest> readRequest(const ConfigOptions &options);

/// Compiles a request, or takes the object from the cache.
llvm::Expected<CompiledModule> compileRequest(CompileRequest &request, bool noCache);

/// Reads a request for one target; several are an error.
llvm::Expected<CompileRequest> readSingleRequest(const ConfigOptions &options);

/// Reads a request for one target and compiles it to an object.
llvm::Expected<CompiledModule> compileConfig(const ConfigOptions &options);

// The commands; each returns the exit status after printing its errors.
struct CompileArguments {
  ConfigOptions config;
  std::string directory, emit = "obj", dumpDirectory;
  std::string weights, prefix; ///< parameters that become a part of the object: a file, or ""
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
  std::string inputs; ///< a file with some of the inputs, or ""
  std::optional<int64_t> batch, targetLength, sourceLength; ///< default: as `inputs`, 1, L
  int threads = 1;
  bool json = false, profile = false;
};
llvm::Error runBench(const BenchArguments &arguments);

struct ExplainArguments {
  ConfigOptions config;
  std::optional<int64_t> batch, targetLength, sourceLength; ///< of the call that work is stated for
  int threads = 1;
};
llvm::Error runExplain(const ExplainArguments &arguments);

struct TuneArguments {
  std::vector<std::string> configs, overrides;
  std::string target = "host";
  bool isSuite = false; ///< the built-in cases, in place of configurations
  std::optional<int64_t> batch, targetLength, sourceLength;
  std::string budget; ///< time for each case: "90s", "10m", "1h", or ""
  int candidates = 0; ///< for each case; 0: no limit
  std::string database = ScheduleDatabase::defaultPath();
  std::string report;             ///< an HTML file, or ""
  std::string searcher;           ///< a command, or ""
  std::vector<std::string> knobs; ///< NAME=VALUE,VALUE...: the only values to try
  uint64_t seed = 1;
  int threads = 1;
};
llvm::Error runTune(const TuneArguments &arguments);

llvm::Error listTargets();

} // namespace attune::tool

#endif
