//===- CommandLine.cpp - Commands and options of attune -------------------===//
#include "CommandLine.h"

#include "PrintCommand.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Config/llvm-config.h"

using namespace llvm;

namespace attune::tool {

namespace {
constexpr HelpSection kHelpSections[] = {
    {"Examples",
     R"(attune compile mha.json -o out                 object, header and metadata for x86-64-v3
attune compile mha.json -o out --target host --emit=so
attune compile mha.json -o out --target x86-64-v3,x86-64-v4 --weights module.safetensors
attune compile mha.json --emit=tiles           the program over tiles, on stdout
attune compile mha.json -o out --dump-phases-to=phases
attune run mha.json --weights module.safetensors --inputs x.safetensors -o y.safetensors --check
attune bench mha.json --target-length 128 --threads 1
attune bench mha.json --set forward.attn_mask=bool_2d --inputs mask.safetensors
echo '{"op": "attention", "module": {"num_heads": 8, "head_dim": 64}}' |
  attune bench - --target-length 1024 --source-length 1024)",
     true},
    {"Cache",
     R"(objects are kept for the next time in $ATTUNE_CACHE_DIR, or attune/ below $XDG_CACHE_HOME or
~/.cache; ATTUNE_CACHE_DIR= (set to nothing) and --no-cache do without.)",
     false},
    {"Schedules",
     R"(that of --schedule; else the nearest one of the database (--db, else $ATTUNE_DATABASE, or
attune/schedules.jsonl below $XDG_DATA_HOME or ~/.local/share); else one that comes with attune for
sizes like those that CONFIG gives; else the default function's. ATTUNE_DATABASE= (set to nothing)
does without measured ones. attune explain says which one is taken, and why.)",
     false},
    {"Exit status", "0, 1 for a refused input or a failed check, 2 for wrong usage.", false}};

std::string footer() {
  std::string text;
  for (const HelpSection &section : kHelpSections) {
    text += text.empty() ? "" : "\n\n";
    text += section.title.str() + ":";
    if (!section.isVerbatim) {
      text += " " + section.text.str();
      continue;
    }
    SmallVector<StringRef> lines;
    section.text.split(lines, '\n');
    for (StringRef line : lines)
      text += ("\n  " + line).str();
  }
  return text;
}

// The names of values decide what shells complete: see ValueWords.cpp.
void addDatabase(CLI::App &command, ConfigOptions &options) {
  command.add_option("--db", options.database, "database of measured schedules")->type_name("FILE");
}

void addConfig(CLI::App &command, ConfigOptions &options, const char *defaultTarget) {
  options.target = defaultTarget;
  command.add_option("CONFIG", options.config, "configuration: a JSON file, or - for stdin")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--set", options.overrides,
                  "change a key: --set forward.is_causal=true; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_option("--target", options.target, "CPU to compile for; see attune targets")
      ->type_name("CPU")
      ->capture_default_str();
  command
      .add_option("--schedule", options.schedule,
                  "schedule file (JSON) in place of a measured one; default: that of the default "
                  "function")
      ->type_name("FILE");
  addDatabase(command, options);
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
} // namespace

ArrayRef<HelpSection> helpSections() { return kHelpSections; }

CommandLine::CommandLine() : app("attune: compiles multi-head attention to native code", "attune") {
  app.set_version_flag("--version", std::string("attune ") + ATTUNE_VERSION + " (LLVM " +
                                        LLVM_VERSION_STRING + ")");
  app.footer(footer());
  app.require_subcommand(1);
  addCompile();
  addRun();
  addBench();
  addExplain();
  addDb();
  addTune();
  add("targets", "list the names that --target takes", listTargets);
  addPrint();
}

CLI::App *CommandLine::add(const char *name, const char *description,
                           std::function<Error()> runCommand) {
  CLI::App *command = app.add_subcommand(name, description);
  commands.push_back({command, std::move(runCommand)});
  return command;
}

void CommandLine::addCompile() {
  CLI::App *command = add("compile", "compile a configuration ahead of time",
                          [this] { return runCompile(compile); });
  addConfig(*command, compile.config, "x86-64-v3");
  command->add_option("-o", compile.directory, "directory for the files")->type_name("DIR");
  command->add_option("--emit", compile.emit, "what to write")
      ->type_name("KIND")
      ->check(CLI::IsMember({"graph", "tiles", "llvm-mlir", "llvm", "asm", "obj", "lib", "so"}))
      ->capture_default_str();
  command
      ->add_option("--dump-phases-to", compile.dumpDirectory, "write every phase to this directory")
      ->type_name("DIR");
  command->get_option("--target")
      ->description("CPU to compile for; see attune targets. Several, separated by commas, make "
                    "one object that "
                    "picks at its calls");
  command
      ->add_option("--weights", compile.weights,
                   "make these parameters, under their state_dict names, a part of the object")
      ->type_name("FILE");
  command->add_option("--prefix", compile.prefix, "prefix of the parameters in the weights file")
      ->type_name("PREFIX");
}

void CommandLine::addRun() {
  CLI::App *command =
      add("run", "compile, run on tensors from files", [this] { return runRun(runArguments); });
  addConfig(*command, runArguments.config, "host");
  command->add_option("--weights", runArguments.weights, "parameters under their state_dict names")
      ->type_name("FILE");
  command
      ->add_option("--inputs", runArguments.inputs,
                   "query, key, value, attn_mask, key_padding_mask")
      ->type_name("FILE")
      ->required();
  command->add_option("-o", runArguments.output, "results out and weights, as .safetensors")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--prefix", runArguments.prefix, "prefix of the parameters in the weights file")
      ->type_name("PREFIX");
  command->add_option("--threads", runArguments.threads, "0: one per CPU")
      ->check(CLI::Range(0, 4096));
  command->add_flag("--check", runArguments.check,
                    "compare with a float64 reference, and with out and weights of the inputs "
                    "file");
}

void CommandLine::addBench() {
  CLI::App *command = add("bench",
                          "compile and time on random tensors; a bool attn_mask hides half "
                          "of the keys, other masks none; FLOPs count hidden keys, too",
                          [this] { return runBench(bench); });
  addConfig(*command, bench.config, "host");
  command
      ->add_option("--inputs", bench.inputs,
                   "tensors to use in place of random ones: query, key, value, attn_mask, "
                   "key_padding_mask")
      ->type_name("FILE");
  addCall(*command, bench);
  command->add_flag("--json", bench.json, "print one JSON object");
  command->add_flag("--profile", bench.profile,
                    "say also where the time goes: projection, packing, scores, softmax, values, "
                    "output; time, work and bytes of each, beside what the machine can do");
}

void CommandLine::addExplain() {
  CLI::App *command =
      add("explain",
          "say what is decided for a configuration, and why: fused projections, tiles that "
          "are passed over, schedule, kernels, work and memory of a call",
          [this] { return runExplain(explain); });
  addConfig(*command, explain.config, "x86-64-v3");
  addCall(*command, explain);
}

void CommandLine::addDb() {
  CLI::App *command =
      add("db",
          "look after the database of measured schedules: list the winners of searches, show "
          "records by number, print the best schedule for a configuration, merge other databases "
          "or exported records, prune what later records replace, export winners as files",
          [this] { return runDb(db); });
  command->add_option("ACTION", db.action, "what to do")
      ->check(CLI::IsMember(dbActions()))
      ->required();
  command
      ->add_option("WHAT", db.operands,
                   "numbers for show, a configuration for best, files for merge")
      ->type_name("FILE");
  addDatabase(*command, db.config);
  db.config.target = "host";
  command->add_option("--target", db.config.target, "best: CPU that the schedule is for")
      ->type_name("CPU")
      ->capture_default_str();
  command->add_option("--set", db.config.overrides, "best: change a key; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("-o", db.directory, "export: directory for the files")->type_name("DIR");
  command->add_flag("--candidates", db.candidates,
                    "list: every schedule that was tried; prune: drop them, they serve only "
                    "searches that go on");
  command->add_flag("--json", db.json, "list: print an array of records");
}

void CommandLine::addTune() {
  CLI::App *command = add("tune",
                          "search for the fastest schedule: compile, check and time schedules, "
                          "each in a process of its own; keep what was measured in a database",
                          [this] { return runTune(tune); });
  command->add_option("CONFIG", tune.configs, "configurations: JSON files")->type_name("FILE");
  command->add_flag("--suite", tune.isSuite, "tune the cases of the benchmarks");
  command
      ->add_option("--set", tune.overrides,
                   "change a key: --set forward.is_causal=true; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--target", tune.target, "CPU to compile for; this machine must run its code")
      ->type_name("CPU")
      ->capture_default_str();
  addCall(*command, tune);
  command
      ->add_option("--budget", tune.budget,
                   "time to search for each case: 90s, 10m, 1h; default: 2m without --candidates")
      ->type_name("TIME");
  command
      ->add_option("--candidates", tune.candidates,
                   "schedules to try for each case, those of earlier searches included")
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--seed", tune.seed, "decides the order of trials")->capture_default_str();
  command->add_option("--db", tune.database, "database that keeps what was measured")
      ->type_name("FILE");
  command->add_option("--knob", tune.knobs, "try these values of a knob alone; may be repeated")
      ->type_name("NAME=VALUES")
      ->allow_extra_args(false);
  command
      ->add_option("--searcher", tune.searcher,
                   "a program that chooses the schedules, in lines of JSON on stdin and stdout")
      ->type_name("COMMAND");
  command->add_option("--report", tune.report, "draw the search as an HTML page")
      ->type_name("FILE");
}

void CommandLine::addPrint() {
  CLI::App *command = add("print",
                          "print what other programs read: the JSON Schema of "
                          "configurations, the man page, completions for shells",
                          [this] { return runPrint(printed, app); });
  command->add_option("WHAT", printed, "what to print")
      ->check(CLI::IsMember(printableNames()))
      ->required();
}

Error CommandLine::run() {
  for (const Command &command : commands)
    if (*command.app)
      return command.run();
  llvm_unreachable("a command is required");
}

} // namespace attune::tool
