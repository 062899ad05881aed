//===- CommandLine.h - Commands and options of attune -----------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_COMMANDLINE_H
#define ATTUNE_TOOLS_ATTUNE_COMMANDLINE_H

#include "DbCommand.h"
#include "llvm/ADT/ArrayRef.h"
#include <CLI/CLI.hpp>
#include <functional>

namespace attune::tool {

/// A part of the text behind the options, which --help and the man page have in common.
struct HelpSection {
  llvm::StringLiteral title;
  llvm::StringLiteral text;
  bool isVerbatim; ///< lines stay as they are
};
llvm::ArrayRef<HelpSection> helpSections();

/// The only description of the command line: parsing, --help, the man page and the shell
/// completions come from it.
class CommandLine {
public:
  CommandLine();
  CommandLine(const CommandLine &) = delete;
  CommandLine &operator=(const CommandLine &) = delete;

  /// Runs the command that `app` has parsed.
  llvm::Error run();

  CLI::App app;

private:
  struct Command {
    CLI::App *app;
    std::function<llvm::Error()> run;
  };
  CLI::App *add(const char *name, const char *description, std::function<llvm::Error()> run);
  void addCompile();
  void addRun();
  void addBench();
  void addExplain();
  void addDb();
  void addTune();
  void addPrint();

  std::vector<Command> commands;
  CompileArguments compile;
  RunArguments runArguments;
  BenchArguments bench;
  ExplainArguments explain;
  DbArguments db;
  TuneArguments tune;
  std::string printed; ///< what `attune print` prints
};

} // namespace attune::tool

#endif
