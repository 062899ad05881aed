//===- main.cpp - The command line of attune ------------------------------===//
#include "Common.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>

using namespace llvm;
using namespace attune::tool;

namespace {
constexpr int kRefused = 1, kWrongUsage = 2;

void addConfig(CLI::App &command, ConfigOptions &options, const char *defaultTarget) {
  options.target = defaultTarget;
  command.add_option("CONFIG", options.config, "configuration: a JSON file, or - for stdin")
      ->required();
  command
      .add_option("--set", options.overrides,
                  "change a key: --set forward.is_causal=true; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      .add_option("--target", options.target,
                  "CPU to compile for; see attune targets. compile takes several, separated by "
                  "commas: the object picks one at its calls")
      ->capture_default_str();
  command
      .add_option("--schedule", options.schedule, "schedule file (JSON) in place of the default")
      ->type_name("FILE");
  command.add_flag("--no-cache", options.noCache, "neither use nor fill the compile cache");
}

/// Sizes of a call, and the threads that work on it.
template <typename Arguments> void addCall(CLI::App &command, Arguments &arguments) {
  const CLI::Range lengths(int64_t(0), int64_t(INT32_MAX));
  command.add_option("--batch", arguments.batch, "N, where the configuration leaves it open")
      ->check(lengths);
  command.add_option("--target-length", arguments.targetLength, "L, likewise")->check(lengths);
  command.add_option("--source-length", arguments.sourceLength, "S, likewise; default: L")
      ->check(lengths);
  command.add_option("--threads", arguments.threads, "threads that work")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
}

/// Runs a command and turns its errors into the exit status.
int report(function_ref<Error()> command) {
  std::string message;
  try {
    Error error = command();
    if (!error)
      return 0;
    message = toString(std::move(error));
  } catch (const attune::StatusError &error) {
    message = error.what();
  } catch (const std::bad_alloc &) {
    message = "out of memory";
  }
  errs() << "attune: error: " << message << "\n";
  return kRefused;
}

constexpr const char *kExamples = R"(Examples:
  attune compile mha.json -o out                 object, header and metadata for x86-64-v3
  attune compile mha.json -o out --target host --emit=so
  attune compile mha.json -o out --target x86-64-v3,x86-64-v4 --weights module.safetensors
  attune compile mha.json --emit=tiles           the program over tiles, on stdout
  attune compile mha.json -o out --dump-phases-to=phases
  attune run mha.json --weights module.safetensors --inputs x.safetensors -o y.safetensors --check
  attune bench mha.json --target-length 128 --threads 1
  attune bench mha.json --set forward.attn_mask=bool_2d --inputs mask.safetensors
  echo '{"op": "attention", "module": {"num_heads": 8, "head_dim": 64}}' |
    attune bench - --target-length 1024 --source-length 1024

Objects are kept for the next time in $ATTUNE_CACHE_DIR, or attune/ below $XDG_CACHE_HOME or ~/.cache;
ATTUNE_CACHE_DIR= (set to nothing) and --no-cache do without.

Exit status: 0, 1 for a refused input or a failed check, 2 for wrong usage.)";

int listTargets() {
  auto host = attune::cpu::resolveTarget("host");
  if (host)
    outs() << "host: " << host->cpu << ", " << host->kernels.vectorLanes << " float32 lanes, L1 "
           << host->traits.l1Bytes / 1024 << " KiB, L2 " << host->traits.l2Bytes / 1024 << " KiB\n";
  else
    consumeError(host.takeError());
  for (const std::string &name : attune::cpu::targetNames())
    outs() << name << "\n";
  return 0;
}
} // namespace

int main(int argc, char **argv) {
  CLI::App app("attune: compiles multi-head attention to native code", "attune");
  app.set_version_flag("--version", std::string("attune ") + ATTUNE_VERSION + " (LLVM " +
                                        LLVM_VERSION_STRING + ")");
  app.footer(kExamples);
  app.require_subcommand(1);

  CompileArguments compile;
  CLI::App *compileCommand = app.add_subcommand("compile", "compile a configuration ahead of time");
  addConfig(*compileCommand, compile.config, "x86-64-v3");
  compileCommand->add_option("-o", compile.directory, "directory for the files")->type_name("DIR");
  compileCommand->add_option("--emit", compile.emit, "what to write")
      ->check(CLI::IsMember({"graph", "tiles", "llvm-mlir", "llvm", "asm", "obj", "lib", "so"}))
      ->capture_default_str();
  compileCommand
      ->add_option("--dump-phases-to", compile.dumpDirectory, "write every phase to this directory")
      ->type_name("DIR");

  compileCommand
      ->add_option("--weights", compile.weights,
                   "make these parameters, under their state_dict names, a part of the object")
      ->type_name("FILE");
  compileCommand->add_option("--prefix", compile.prefix,
                             "prefix of the parameters in the weights file");

  RunArguments run;
  CLI::App *runCommand = app.add_subcommand("run", "compile, run on tensors from files");
  addConfig(*runCommand, run.config, "host");
  runCommand->add_option("--weights", run.weights, "parameters under their state_dict names")
      ->type_name("FILE");
  runCommand->add_option("--inputs", run.inputs, "query, key, value, attn_mask, key_padding_mask")
      ->type_name("FILE")
      ->required();
  runCommand->add_option("-o", run.output, "results out and weights, as .safetensors")
      ->type_name("FILE")
      ->required();
  runCommand->add_option("--prefix", run.prefix, "prefix of the parameters in the weights file");
  runCommand->add_option("--threads", run.threads, "0: one per CPU")->check(CLI::Range(0, 4096));
  runCommand->add_flag("--check", run.check,
                       "compare with a float64 reference, and with out and weights of the inputs "
                       "file");

  BenchArguments bench;
  CLI::App *benchCommand =
      app.add_subcommand("bench", "compile and time on random tensors; a bool attn_mask hides half "
                                  "of the keys, other masks none; FLOPs count hidden keys, too");
  addConfig(*benchCommand, bench.config, "host");
  benchCommand
      ->add_option("--inputs", bench.inputs,
                   "tensors to use in place of random ones: query, key, value, attn_mask, "
                   "key_padding_mask")
      ->type_name("FILE");
  addCall(*benchCommand, bench);
  benchCommand->add_flag("--json", bench.json, "print one JSON object");

  ExplainArguments explain;
  CLI::App *explainCommand = app.add_subcommand(
      "explain", "say what is decided for a configuration, and why: fused projections, tiles that "
                 "are passed over, schedule, kernels, work and memory of a call");
  addConfig(*explainCommand, explain.config, "x86-64-v3");
  addCall(*explainCommand, explain);

  CLI::App *targetsCommand = app.add_subcommand("targets", "list the names that --target takes");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp &help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion &version) {
    return app.exit(version);
  } catch (const CLI::ParseError &error) {
    errs() << "attune: error: " << error.what() << "; see attune --help\n";
    return kWrongUsage;
  }
  if (*targetsCommand)
    return listTargets();
  return report([&]() -> Error {
    if (*compileCommand)
      return runCompile(compile);
    if (*explainCommand)
      return runExplain(explain);
    return *runCommand ? runRun(run) : runBench(bench);
  });
}
