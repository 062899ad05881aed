//===- ScoreLexer.cpp - The tokens of a score expression ------------------===//
#include "frontend/ScoreLexer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

namespace attune {
namespace {

using llvm::StringRef;
using Kind = ScoreToken::Kind;

constexpr StringRef spaces = " \t\n\r";

/// A longer symbol comes before those that it begins with.
constexpr StringRef symbols[] = {"<=", ">=", "==", "!=", "<", ">", "+",
                                 "-",  "*",  "/",  "(",  ")", ","};
constexpr StringRef doubledMarks[] = {"&&", "||"};

size_t digits(StringRef text) { return text.take_while(llvm::isDigit).size(); }

/// How many characters from the start are a number; 0: none.
size_t numberLength(StringRef text) {
  size_t whole = digits(text), length = whole, fraction = 0;
  if (text.substr(length).starts_with(".")) {
    fraction = digits(text.substr(length + 1));
    length += 1 + fraction;
  }
  if (whole + fraction == 0)
    return 0;
  StringRef rest = text.substr(length);
  if (rest.consume_front_insensitive("e")) {
    size_t sign = rest.starts_with("+") || rest.starts_with("-") ? 1 : 0;
    if (size_t exponent = digits(rest.substr(sign)))
      length += 1 + sign + exponent;
  }
  return length;
}

size_t nameLength(StringRef text) {
  if (text.empty() || llvm::isDigit(text.front()))
    return 0;
  return text.take_while([](char c) { return llvm::isAlnum(c) || c == '_'; }).size();
}

size_t lengthOfAny(llvm::ArrayRef<StringRef> words, StringRef text) {
  const auto *word = llvm::find_if(words, [&](StringRef w) { return text.starts_with(w); });
  return word == words.end() ? 0 : word->size();
}

/// The first byte, and those that continue a UTF-8 sequence.
size_t characterLength(StringRef text) {
  return 1 + text.drop_front()
                 .take_while([](char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; })
                 .size();
}

} // namespace

ScoreToken scoreTokenAt(StringRef expression, size_t from) {
  const size_t at = expression.find_first_not_of(spaces, from);
  if (at == StringRef::npos)
    return {Kind::End, "", expression.rtrim(spaces).size()};
  StringRef rest = expression.substr(at);
  if (size_t length = numberLength(rest))
    return {Kind::Number, rest.take_front(length), at};
  if (size_t length = nameLength(rest))
    return {Kind::Name, rest.take_front(length), at};
  if (size_t length = lengthOfAny(symbols, rest))
    return {Kind::Symbol, rest.take_front(length), at};
  size_t length = lengthOfAny(doubledMarks, rest);
  return {Kind::Unknown, rest.take_front(length ? length : characterLength(rest)), at};
}

} // namespace attune
