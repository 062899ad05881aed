//===- ValueWords.cpp - Values that shells can complete -------------------===//
#include "ValueWords.h"

#include "codegen/cpu/TargetInfo.h"
#include "frontend/ConfigKeys.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace attune::tool {

namespace {
std::vector<std::string> noWords() { return {}; }

/// `forward.is_causal=true` ... ; `module.embed_dim=` where any number fits.
std::vector<std::string> settings() {
  std::vector<std::string> words;
  for (const ConfigKey &key : configKeys()) {
    const std::string start = key.path.str() + "=";
    if (key.type == KeyType::Boolean)
      words.insert(words.end(), {start + "true", start + "false"});
    for (StringRef choice : key.choices)
      words.push_back(start + choice.str());
    if (key.type != KeyType::Boolean && key.choices.empty())
      words.push_back(start);
  }
  return words;
}

struct KnownType {
  StringLiteral type; ///< the type_name in CommandLine.cpp
  ValueKind kind;
  std::vector<std::string> (*words)();
};
constexpr KnownType kKnownTypes[] = {{"FILE", ValueKind::File, noWords},
                                     {"DIR", ValueKind::Directory, noWords},
                                     {"CPU", ValueKind::Words, cpu::targetNames},
                                     {"KEY=VALUE", ValueKind::Settings, settings}};
} // namespace

ValueWords valueWords(const DescribedOption &option) {
  if (!option.choices.empty())
    return {ValueKind::Words, option.choices};
  const auto *known =
      find_if(kKnownTypes, [&](const KnownType &entry) { return entry.type == option.type; });
  if (known == std::end(kKnownTypes))
    return {};
  return {known->kind, known->words()};
}

} // namespace attune::tool
