//===- ScoreParser.h - The score expression of a configuration --*- C++ -*-===//
//
// Least binding first: or; and; not; < <= > >= == != (not chained); + -; * /; unary - and +;
// numbers, names, calls, parentheses.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_COMPILER_FRONTEND_SCOREPARSER_H
#define ATTUNE_COMPILER_FRONTEND_SCOREPARSER_H

#include "frontend/ScoreExpression.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace attune {

/// Longer expressions are refused: the code generator follows the operands of an operation
/// recursively, and a chain of operations is as deep as it is long.
inline constexpr size_t maxScoreBytes = 1024;

/// The most parentheses, calls, signs and `not` around one value.
inline constexpr unsigned maxScoreDepth = 64;

/// Reads an expression and checks names, types and limits. An error says what was found and what
/// was expected; two more lines show the expression with a caret under the place.
llvm::Expected<ScoreExpression> parseScore(llvm::StringRef text);

} // namespace attune

#endif
