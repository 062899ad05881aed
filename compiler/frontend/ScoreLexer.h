//===- ScoreLexer.h - The tokens of a score expression ----------*- C++ -*-===//
#ifndef ATTUNE_COMPILER_FRONTEND_SCORELEXER_H
#define ATTUNE_COMPILER_FRONTEND_SCORELEXER_H

#include "llvm/ADT/StringRef.h"

namespace attune {

struct ScoreToken {
  enum class Kind {
    Number,  ///< digits with at most one point, and an exponent
    Name,    ///< a letter or underscore, then letters, digits, underscores
    Symbol,  ///< an operator, a parenthesis, a comma
    Unknown, ///< one character that no expression has, or a doubled & or |
    End
  };

  Kind kind;
  llvm::StringRef text;
  size_t at; ///< where `text` starts in the expression

  bool is(llvm::StringRef wanted) const {
    return (kind == Kind::Symbol || kind == Kind::Name) && text == wanted;
  }
};

/// The first token at or after a place. The end stands behind the last token.
ScoreToken scoreTokenAt(llvm::StringRef expression, size_t from);

} // namespace attune

#endif
