//===- ScoreExcerpt.h - A place in an expression, for messages --*- C++ -*-===//
#ifndef ATTUNE_COMPILER_FRONTEND_SCOREEXCERPT_H
#define ATTUNE_COMPILER_FRONTEND_SCOREEXCERPT_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace attune {

/// Two lines, indented: the text around a place, at most some hundred characters of it, and a caret
/// under the place. White space shows as spaces, other control characters and invalid UTF-8 as
/// replacement characters. `at` is the start of a character, or the size of the text.
std::string excerptWithCaret(llvm::StringRef text, size_t at);

} // namespace attune

#endif
