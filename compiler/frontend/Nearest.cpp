//===- Nearest.cpp - What a misspelt word may have meant ------------------===//
#include "frontend/Nearest.h"
#include <algorithm>
#include <string>

namespace attune {

using llvm::StringRef;

StringRef nearest(StringRef word, llvm::ArrayRef<StringRef> candidates) {
  // A distance takes time with the square of the length, and no candidate is that long.
  if (word.size() > 64)
    return "";
  std::string lower = word.lower();
  unsigned limit = std::max<unsigned>(1, word.size() / 3);
  StringRef best;
  for (StringRef candidate : candidates) {
    unsigned distance = StringRef(lower).edit_distance(candidate, true, limit);
    if (distance > limit)
      continue;
    best = candidate;
    if (distance == 0)
      break;
    limit = distance - 1;
  }
  return best;
}

} // namespace attune
