//===- ScoreExcerpt.cpp - A place in an expression, for messages ----------===//
#include "frontend/ScoreExcerpt.h"
#include "llvm/Support/JSON.h"
#include <algorithm>
#include <vector>

namespace attune {
namespace {

using llvm::StringRef;

constexpr size_t maxColumns = 100;

/// What each column shows: one character, however many bytes it has.
std::vector<std::string> columnsOf(StringRef text) {
  std::vector<std::string> columns;
  for (char c : llvm::json::fixUTF8(text)) {
    const uint8_t byte = c;
    if ((byte & 0xC0) == 0x80)
      columns.back() += c;
    else if (StringRef("\t\n\r").contains(c))
      columns.emplace_back(" ");
    else if (byte < 0x20 || byte == 0x7f)
      columns.emplace_back("\xef\xbf\xbd");
    else
      columns.emplace_back(1, c);
  }
  return columns;
}

} // namespace

std::string excerptWithCaret(StringRef text, size_t at) {
  std::vector<std::string> columns = columnsOf(text);
  const size_t caret = columnsOf(text.take_front(at)).size();
  size_t begin = 0, end = columns.size();
  if (end > maxColumns) {
    // The place is in the middle, unless an end of the text is near.
    begin = std::min(caret - std::min(caret, maxColumns / 2), end - maxColumns);
    end = begin + maxColumns;
  }
  StringRef before = begin > 0 ? "..." : "", after = end < columns.size() ? "..." : "";
  std::string lines = "  " + before.str();
  for (size_t k = begin; k < end; ++k)
    lines += columns[k];
  return lines + after.str() + "\n  " + std::string(before.size() + caret - begin, ' ') + "^";
}

} // namespace attune
