//===- JsonReader.h - JSON text as a flat list of members -------*- C++ -*-===//
//
// Reads untrusted JSON text and keeps what a DOM loses: the line of every key, the order of the
// keys, duplicates, and numbers as they were written.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_COMPILER_FRONTEND_JSONREADER_H
#define ATTUNE_COMPILER_FRONTEND_JSONREADER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace attune {

/// A value that is neither object nor array; monostate stands for null.
using JsonScalar = std::variant<std::monostate, bool, int64_t, double, std::string>;

/// One member of an object, at any depth.
struct JsonMember {
  enum class Kind { Scalar, Object, Array };

  std::string path; ///< dotted: "forward.is_causal"
  int line = 0;     ///< line of the key, from 1
  Kind kind = Kind::Scalar;
  JsonScalar scalar; ///< of Kind::Scalar
  std::string shown; ///< the value as messages show it: `1e3`, `"none"`, `an object`
};

/// The largest text that is read.
inline constexpr size_t maxJsonBytes = 1 << 20;

/// Reads a text that must hold one object. Members come in the order of the text; an object comes
/// before its own members, the inside of an array is skipped. Refuses broken syntax, duplicate
/// keys, keys with a dot, invalid UTF-8, and text that is too large or nested too deep.
llvm::Expected<std::vector<JsonMember>> readJsonObject(llvm::StringRef text,
                                                       llvm::StringRef fileName);

/// Reads a text that holds one value: a member without path and line. nullopt: not JSON.
std::optional<JsonMember> readJsonValue(llvm::StringRef text);

/// The value as messages show it: strings quoted, escaped and cut to a readable length.
std::string showScalar(const JsonScalar &scalar);

/// The text with control characters escaped, invalid UTF-8 replaced, cut to a readable length.
std::string printable(llvm::StringRef text);

} // namespace attune

#endif
