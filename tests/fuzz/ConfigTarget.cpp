//===- ConfigTarget.cpp - Promises of parseConfig -------------------------===//
#include "Targets.h"
#include "frontend/Config.h"
#include "frontend/Interface.h"
#include <vector>

namespace attune::fuzz {
namespace {

using llvm::StringRef;

constexpr StringRef fileName = "input.json";

std::string refusalProblem(const std::string &message) {
  if (!StringRef(message).starts_with(fileName) && !StringRef(message).starts_with("--set "))
    return "a message that does not begin with its place: " + message;
  return messageProblem(message);
}

std::string shown(const std::vector<InterfaceTensor> &tensors) {
  std::string text;
  for (const InterfaceTensor &tensor : tensors) {
    text += tensor.name;
    for (const SymbolicSize &size : tensor.sizes)
      text += " " + std::to_string(int(size.symbol)) + "*" + std::to_string(size.factor) + "+" +
              std::to_string(size.addend);
    text += "\n";
  }
  return text;
}

/// Everything that code generation takes from a configuration's tensors.
std::string tensorsOf(const Config &config) {
  return shown(interfaceInputs(config)) + shown(interfaceOutputs(config)) +
         shown(interfaceParameters(config));
}

std::string acceptanceProblem(const Config &config) {
  const std::string canonical = toJson(config);
  llvm::Expected<Config> again = parseConfig(canonical, fileName);
  if (!again)
    return "the canonical form is refused: " + llvm::toString(again.takeError()) + "\n" + canonical;
  if (std::string twice = toJson(*again); twice != canonical)
    return "the canonical form is no fixed point:\n" + canonical + twice;
  if (again->scale() != config.scale())
    return "the canonical form has another scale:\n" + canonical;
  if (tensorsOf(*again) != tensorsOf(config))
    return "the canonical form has other tensors:\n" + tensorsOf(config) + tensorsOf(*again);
  return "";
}

} // namespace

Verdict checkConfigText(std::string_view input) {
  constexpr StringRef overrideMark = "\n--set ";
  auto [text, rest] = StringRef(input).split(overrideMark);
  std::vector<std::string> overrides;
  while (!rest.empty()) {
    auto [first, others] = rest.split(overrideMark);
    overrides.push_back(first.rtrim('\n').str());
    rest = others;
  }
  llvm::Expected<Config> config = parseConfig(text, fileName, overrides);
  if (!config)
    return {false, refusalProblem(llvm::toString(config.takeError()))};
  for (char rest : {'}', '\0'})
    if (llvm::expectedToOptional(parseConfig(text.str() + rest, fileName, overrides)))
      return {true, "text after the end of the configuration is accepted"};
  return {true, acceptanceProblem(*config)};
}

} // namespace attune::fuzz
