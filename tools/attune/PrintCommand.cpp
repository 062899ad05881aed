//===- PrintCommand.cpp - attune print ------------------------------------===//
#include "PrintCommand.h"

#include "frontend/ConfigSchema.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune::tool {

namespace {
struct Printable {
  StringLiteral name;
  std::string (*make)(const DescribedProgram &program);
};
constexpr Printable kPrintables[] = {
    {"schema", [](const DescribedProgram &) { return configSchema(); }},
    {"man", manPage},
    {"bash-completion", bashCompletion},
    {"zsh-completion", zshCompletion},
    {"fish-completion", fishCompletion}};
} // namespace

std::vector<std::string> printableNames() {
  std::vector<std::string> names;
  for (const Printable &printable : kPrintables)
    names.push_back(printable.name.str());
  return names;
}

Error runPrint(const std::string &name, const CLI::App &app) {
  const auto *printable =
      find_if(kPrintables, [&](const Printable &entry) { return entry.name == name; });
  outs() << printable->make(describe(app));
  return Error::success();
}

} // namespace attune::tool
