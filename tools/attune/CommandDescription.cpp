//===- CommandDescription.cpp - The command line as plain data ------------===//
#include "CommandDescription.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <CLI/CLI.hpp>

using namespace llvm;

namespace attune::tool {

namespace {
/// CLI11 shows checks behind the type: `TEXT:{graph,tiles}`, `INT:INT in [0 - 4096]`.
void describeType(const CLI::Option &option, DescribedOption &described) {
  const std::string name = option.get_type_name();
  SmallVector<StringRef> parts;
  StringRef(name).split(parts, ':');
  described.type = parts.front().str();
  for (StringRef check : ArrayRef(parts).drop_front()) {
    if (check.consume_front("{") && check.consume_back("}")) {
      SmallVector<StringRef> choices;
      check.split(choices, ',');
      for (StringRef choice : choices)
        described.choices.push_back(choice.str());
    } else {
      described.range = check.str();
    }
  }
}

DescribedOption describe(const CLI::Option &option) {
  DescribedOption described;
  for (const std::string &name : option.get_snames())
    described.names.push_back("-" + name);
  for (const std::string &name : option.get_lnames())
    described.names.push_back("--" + name);
  described.description = option.get_description();
  if (option.get_type_size() != 0) {
    describeType(option, described);
    described.value = option.get_positional() ? option.get_name(true) : described.type;
    described.defaultText = option.get_default_str();
  }
  described.isRequired = option.get_required();
  described.isRepeated = option.get_expected_max() >= CLI::detail::expected_max_vector_size;
  return described;
}

DescribedCommand describeCommand(const CLI::App &app) {
  DescribedCommand command{app.get_name(), app.get_description(), {}};
  for (const CLI::Option *option : app.get_options())
    if (!option->get_group().empty()) // else hidden
      command.options.push_back(describe(*option));
  return command;
}

std::vector<DescribedOption> filtered(const DescribedCommand &command, bool positional) {
  std::vector<DescribedOption> found;
  copy_if(command.options, std::back_inserter(found),
          [&](const DescribedOption &option) { return option.isPositional() == positional; });
  return found;
}
} // namespace

std::vector<DescribedOption> DescribedCommand::flagged() const { return filtered(*this, false); }
std::vector<DescribedOption> DescribedCommand::positionals() const { return filtered(*this, true); }

DescribedProgram describe(const CLI::App &app) {
  DescribedProgram program{describeCommand(app), {}};
  for (const CLI::App *command : app.get_subcommands([](const CLI::App *) { return true; }))
    program.commands.push_back(describeCommand(*command));
  return program;
}

std::string brief(const std::string &description) {
  return description.substr(0, description.find_first_of(";:"));
}

} // namespace attune::tool
