//===- BashCompletion.cpp - attune print bash-completion ------------------===//
#include "PrintCommand.h"
#include "ValueWords.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace attune::tool {

namespace {
// --option=value and KEY=VALUE are one word here and several for bash, which replaces what stands
// behind the last of COMP_WORDBREAKS.
constexpr const char *kBefore = R"(# Completion for bash; made by attune print bash-completion.

_attune() {
  local line=${COMP_LINE:0:COMP_POINT} current='' previous prefix='' command='' word
  local options='' kind='' list=''
  local -a words
  read -ra words <<<"$line"
  if [[ $line != *[[:space:]] ]]; then
    current=${words[-1]}
    unset 'words[-1]'
  fi
  previous=${words[-1]}
  for word in "${words[@]:1}"; do
    if [[ $word != -* ]]; then
      command=$word
      break
    fi
  done
  if [[ $current == --*=* ]]; then
    previous=${current%%=*}
    prefix=$previous=
    current=${current#*=}
  fi
)";

constexpr const char *kAfter = R"(  if [[ -z $prefix && $current == -* ]]; then
    kind=words list=$options
  fi
  case $kind in
  file)
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    ;;
  directory)
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$current")
    ;;
  *)
    mapfile -t COMPREPLY < <(compgen -W "$list" -- "$current")
    ;;
  esac
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
  if [[ $COMP_WORDBREAKS != *=* ]]; then
    COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
  elif [[ $current == *=* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*=}"}"}")
  fi
}

complete -F _attune attune
)";

/// `kind=words list='...'`
std::string assignment(const DescribedOption &option) {
  const ValueWords value = valueWords(option);
  switch (value.kind) {
  case ValueKind::None:
    return "kind=words";
  case ValueKind::File:
    return "kind=file";
  case ValueKind::Directory:
    return "kind=directory";
  case ValueKind::Words:
  case ValueKind::Settings:
    return "kind=words list='" + join(value.words, " ") + "'";
  }
  llvm_unreachable("a kind of value");
}

std::string allNames(const DescribedCommand &command) {
  std::string names;
  for (const DescribedOption &option : command.flagged())
    for (const std::string &name : option.names)
      names += (names.empty() ? "" : " ") + name;
  return names;
}

/// The options of a command, and what stands where no option is begun: its first argument directly
/// behind the command, else the last one.
std::string commandCase(const DescribedCommand &command) {
  std::string text = "  " + command.name + ")\n    options='" + allNames(command) + "'\n";
  const std::vector<DescribedOption> positionals = command.positionals();
  if (!positionals.empty())
    text += "    " + assignment(positionals.back()) + "\n";
  if (positionals.size() > 1)
    text +=
        "    [[ $previous == " + command.name + " ]] && " + assignment(positionals.front()) + "\n";
  return text + "    ;;\n";
}

/// What stands behind an option that takes a value.
std::string valueCases(const DescribedCommand &command) {
  std::string text;
  for (const DescribedOption &option : command.flagged())
    for (const std::string &name : option.names)
      if (!option.isFlag())
        text += "  " + command.name + ":" + name + ") options='' " + assignment(option) + " ;;\n";
  return text;
}
} // namespace

std::string bashCompletion(const DescribedProgram &program) {
  std::string commands, cases, values;
  for (const DescribedCommand &command : program.commands) {
    commands += (commands.empty() ? "" : " ") + command.name;
    cases += commandCase(command);
    values += valueCases(command);
  }
  return std::string(kBefore) + "  case $command in\n  '')\n    options='" +
         allNames(program.program) + "' kind=words list='" + commands + "'\n    ;;\n" + cases +
         "  esac\n  case $command:$previous in\n" + values + "  esac\n" + kAfter;
}

} // namespace attune::tool
