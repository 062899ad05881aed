//===- CommandDescription.h - The command line as plain data ----*- C++ -*-===//
//
// What the man page and the shell completions know of the command line.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TOOLS_ATTUNE_COMMANDDESCRIPTION_H
#define ATTUNE_TOOLS_ATTUNE_COMMANDDESCRIPTION_H

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace attune::tool {

struct DescribedOption {
  bool isPositional() const { return names.empty(); }
  bool isFlag() const { return value.empty(); }

  std::vector<std::string> names; ///< "-h", "--help"; none of a positional argument
  std::string value;              ///< what stands behind it: FILE, KEY=VALUE, or ""
  std::string type;               ///< as `value`; of a positional argument, whose value is its name
  std::string description;
  std::string defaultText;          ///< or ""
  std::string range;                ///< a check in words, or ""
  std::vector<std::string> choices; ///< the only values, or none
  bool isRequired = false;
  bool isRepeated = false;
};

struct DescribedCommand {
  /// The options that are no positional arguments, and those that are.
  std::vector<DescribedOption> flagged() const;
  std::vector<DescribedOption> positionals() const;

  std::string name;
  std::string description;
  std::vector<DescribedOption> options; ///< in the order of --help
};

struct DescribedProgram {
  DescribedCommand program; ///< its name and the options before a command
  std::vector<DescribedCommand> commands;
};

DescribedProgram describe(const CLI::App &app);

/// A description up to its first semicolon or colon.
std::string brief(const std::string &description);

} // namespace attune::tool

#endif
