//===- ZshCompletion.cpp - attune print zsh-completion --------------------===//
#include "PrintCommand.h"
#include "ValueWords.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace attune::tool {

namespace {
std::string quoted(StringRef text) {
  std::string result = "'";
  for (char c : text)
    result += c == '\'' ? std::string("'\\''") : std::string{c};
  return result + "'";
}

/// Text within a specification of _arguments or _describe.
std::string escaped(StringRef text) {
  std::string result;
  for (char c : text)
    result += StringRef(":[]\\").contains(c) ? std::string{'\\', c} : std::string{c};
  return result;
}

/// `:FILE:_files`
std::string valueText(const DescribedOption &option) {
  const ValueWords value = valueWords(option);
  const std::string start = ":" + escaped(option.value) + ":";
  switch (value.kind) {
  case ValueKind::None:
    return start + " ";
  case ValueKind::File:
    return start + "_files";
  case ValueKind::Directory:
    return start + "_files -/";
  case ValueKind::Words:
    return start + "(" + join(value.words, " ") + ")";
  case ValueKind::Settings: // no space behind KEY=
    return start + "compadd -S \"\" - " + join(value.words, " ");
  }
  llvm_unreachable("a kind of value");
}

std::string optionLines(const DescribedOption &option) {
  const std::string repeated = option.isRepeated ? "*" : "";
  std::string lines;
  for (StringRef name : option.names) {
    // A value may follow as a word of its own, behind = or, for -o, at once.
    const char *behind = option.isFlag() ? "" : name.starts_with("--") ? "=" : "+";
    lines += " \\\n        " +
             quoted(repeated + name.str() + behind + "[" + escaped(brief(option.description)) +
                    "]" + (option.isFlag() ? "" : valueText(option)));
  }
  return lines;
}

std::string commandCase(const DescribedCommand &command) {
  std::string text = "    " + command.name + ")\n      _arguments";
  for (const DescribedOption &option : command.flagged())
    text += optionLines(option);
  int place = 1;
  for (const DescribedOption &option : command.positionals())
    text += " \\\n        " + quoted(std::to_string(place++) + valueText(option));
  return text + "\n      ;;\n";
}
} // namespace

std::string zshCompletion(const DescribedProgram &program) {
  std::string text = "#compdef " + program.program.name + R"(
# Completion for zsh; made by attune print zsh-completion.

_attune() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands
  commands=()";
  for (const DescribedCommand &command : program.commands)
    text += "\n    " + quoted(command.name + ":" + escaped(brief(command.description)));
  text += "\n  )\n  _arguments -C";
  for (const DescribedOption &option : program.program.flagged())
    text += optionLines(option);
  text += R"( \
        '1:command:->command' \
        '*::argument:->argument'
  case $state in
  command)
    _describe command commands
    ;;
  argument)
    case $line[1] in
)";
  for (const DescribedCommand &command : program.commands)
    text += commandCase(command);
  return text + R"(    esac
    ;;
  esac
}

_attune "$@"
)";
}

} // namespace attune::tool
