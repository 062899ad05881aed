//===- ValueWords.h - Values that shells can complete -----------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_VALUEWORDS_H
#define ATTUNE_TOOLS_ATTUNE_VALUEWORDS_H

#include "CommandDescription.h"

namespace attune::tool {

enum class ValueKind {
  None, ///< nothing is known of the value
  File,
  Directory,
  Words,   ///< one of a list
  Settings ///< KEY=VALUE or, where any value fits, KEY=
};

/// How a value can be completed; `words` has the list of Words and Settings.
struct ValueWords {
  ValueKind kind = ValueKind::None;
  std::vector<std::string> words;
};
ValueWords valueWords(const DescribedOption &option);

} // namespace attune::tool

#endif
