//===- ManPage.cpp - attune print man -------------------------------------===//
#include "CommandLine.h"
#include "PrintCommand.h"
#include "frontend/ConfigKeys.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace attune::tool {

namespace {
/// Text for roff: nothing in it is a request, and a hyphen is the character that users type.
std::string roff(StringRef text) {
  std::string result;
  bool isLineStart = true;
  for (char c : text) {
    if (isLineStart && (c == '.' || c == '\''))
      result += "\\&";
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else
      result += c;
    isLineStart = c == '\n';
  }
  return result;
}

std::string bold(StringRef text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(StringRef text) { return "\\fI" + roff(text) + "\\fR"; }

/// A paragraph with a tag that stands out.
std::string item(const std::string &tag, const std::string &text) {
  return ".TP\n" + tag + "\n" + text + "\n";
}

/// `-h, --help`, `--target CPU`.
std::string optionTag(const DescribedOption &option) {
  if (option.isPositional())
    return italic(option.value);
  std::string tag;
  for (const std::string &name : option.names)
    tag += (tag.empty() ? "" : ", ") + bold(name);
  return option.isFlag() ? tag : tag + " " + italic(option.value);
}

std::string optionText(const DescribedOption &option) {
  std::string text = roff(option.description);
  if (option.isRequired)
    text += "; required";
  if (!option.range.empty())
    text += "; " + roff(option.range);
  if (!option.choices.empty())
    text += "; one of " + roff(join(option.choices, ", "));
  if (!option.defaultText.empty())
    text += "; default " + roff(option.defaultText);
  return text;
}

/// `attune compile [OPTIONS] CONFIG`
std::string synopsis(const DescribedProgram &program, const DescribedCommand &command) {
  std::string line = bold(program.program.name + " " + command.name);
  line += " [" + italic("OPTIONS") + "]";
  for (const DescribedOption &option : command.positionals())
    line += " " + italic(option.value);
  return line;
}

std::string optionItems(const std::vector<DescribedOption> &options) {
  std::string text;
  for (const DescribedOption &option : options)
    text += item(optionTag(option), optionText(option));
  return text;
}

std::string commandSections(const DescribedProgram &program) {
  std::string text = ".SH COMMANDS\n";
  for (const DescribedCommand &command : program.commands) {
    text += ".SS " + synopsis(program, command) + "\n" + roff(command.description) + "\n";
    text += optionItems(command.positionals()) + optionItems(command.flagged());
  }
  return text;
}

std::string keyText(const ConfigKey &key) {
  std::string text = key.help.str() + "; " + expectation(key);
  if (!key.constraint.empty() && key.type != KeyType::String)
    text += "; " + key.constraint.str();
  if (key.ops != KeyOps::Both) {
    const Op op = key.belongsTo(Op::Attention) ? Op::Attention : Op::MultiheadAttention;
    text += "; op " + opName(op).str() + " only";
  }
  if (key.required)
    text += "; required";
  if (!key.defaultText.empty())
    text += "; default " + key.defaultText.str();
  if (!key.attentionDefaultText.empty())
    text += ", with op attention " + key.attentionDefaultText.str();
  return roff(text);
}

std::string configurationSection() {
  std::string text = ".SH CONFIGURATION\nThe keys of a configuration. A dot stands for an object "
                     "within the object.\n";
  for (const ConfigKey &key : configKeys())
    text += item(bold(key.path), keyText(key));
  return text;
}

std::string sharedSection(const HelpSection &section) {
  const std::string text = roff(section.text) + "\n";
  return ".SH " + section.title.upper() + "\n" +
         (section.isVerbatim ? ".nf\n" + text + ".fi\n" : text);
}
} // namespace

std::string manPage(const DescribedProgram &program) {
  const DescribedCommand &attune = program.program;
  std::string text = ".\\\" Made by attune print man.\n.TH ATTUNE 1 \"\" \"attune " ATTUNE_VERSION
                     "\"\n.SH NAME\n";
  auto [name, purpose] = StringRef(attune.description).split(": ");
  text += name.str() + " \\- " + roff(purpose) + "\n.SH SYNOPSIS\n";
  const char *separator = "";
  for (const DescribedCommand &command : program.commands) {
    text += separator + synopsis(program, command) + "\n";
    separator = ".br\n";
  }
  text += ".SH OPTIONS\n" + optionItems(attune.flagged());
  text += commandSections(program) + configurationSection();
  for (const HelpSection &section : helpSections())
    text += sharedSection(section);
  return text;
}

} // namespace attune::tool
