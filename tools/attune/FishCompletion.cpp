//===- FishCompletion.cpp - attune print fish-completion ------------------===//
#include "PrintCommand.h"
#include "ValueWords.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace attune::tool {

namespace {
std::string quoted(StringRef text) {
  std::string result = "'";
  for (char c : text)
    result += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return result + "'";
}

/// `-x -a '...'`: what may stand behind an option. Without -x fish offers files as well.
std::string valueText(const ValueWords &value) {
  switch (value.kind) {
  case ValueKind::None:
    return " -x";
  case ValueKind::File:
    return " -r -F";
  case ValueKind::Directory:
    return " -x -a '(__fish_complete_directories)'";
  case ValueKind::Words:
  case ValueKind::Settings:
    return " -x -a " + quoted(join(value.words, " "));
  }
  llvm_unreachable("a kind of value");
}

std::string optionLine(const std::string &start, const DescribedOption &option) {
  std::string line = start;
  for (StringRef name : option.names)
    line += name.consume_front("--") ? (" -l " + name).str() : (" -s " + name.drop_front()).str();
  if (!option.isFlag())
    line += valueText(valueWords(option));
  return line + " -d " + quoted(brief(option.description)) + "\n";
}

std::string commandLines(const std::string &start, const DescribedCommand &command) {
  std::string lines;
  bool takesFiles = false;
  for (const DescribedOption &option : command.positionals()) {
    const ValueWords value = valueWords(option);
    takesFiles |= value.kind == ValueKind::File;
    if (value.kind == ValueKind::Words)
      lines += start + valueText(value) + "\n";
  }
  if (!takesFiles)
    lines += start + " -f\n";
  for (const DescribedOption &option : command.flagged())
    lines += optionLine(start, option);
  return lines;
}
} // namespace

std::string fishCompletion(const DescribedProgram &program) {
  const std::string name = program.program.name;
  const std::string top = "complete -c " + name + " -n __fish_use_subcommand";
  std::string text = "# Completion for fish; made by attune print fish-completion.\n";
  text += commandLines(top, program.program);
  for (const DescribedCommand &command : program.commands)
    text += top + " -a " + command.name + " -d " + quoted(brief(command.description)) + "\n";
  for (const DescribedCommand &command : program.commands)
    text += commandLines(
        "complete -c " + name + " -n '__fish_seen_subcommand_from " + command.name + "'", command);
  return text;
}

} // namespace attune::tool
