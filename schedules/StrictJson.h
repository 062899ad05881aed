//===- StrictJson.h - JSON objects that are read strictly -------*- C++ -*-===//
//
// For files that anybody may have written: unknown, missing and duplicate keys, wrong types, NUL
// bytes, deep nesting and large texts are refused. One table of fields serves reading and writing.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_SCHEDULES_STRICTJSON_H
#define ATTUNE_SCHEDULES_STRICTJSON_H

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace attune {

using Json = nlohmann::ordered_json;

/// What is wrong with a text; does not leave this library.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One of several words.
struct JsonChoice {
  std::span<const char *const> words;
  size_t position;
  std::function<void(size_t)> choose;
};

/// The choice that stands for an enum whose values count the words.
template <typename Enum> JsonChoice jsonChoice(Enum &value, std::span<const char *const> words) {
  return {words, static_cast<size_t>(value),
          [&value](size_t position) { value = static_cast<Enum>(position); }};
}

/// A value of an object, or of an object in it.
struct JsonField {
  const char *section; ///< "": the top level
  const char *name;
  std::variant<int *, int64_t *, double *, bool *, std::string *, JsonChoice> value;
};

/// Parses one object of at most 64 KiB. Throws Refusal or what the parser throws.
Json parseStrictly(const std::string &text);

Json writeFields(const std::vector<JsonField> &fields);

/// Reads all fields; `path` is the key of the object in messages, or "". Throws Refusal for a key
/// that is not in the table or not in the object, and for a value of another type.
void readFields(const Json &object, const std::string &path, const std::vector<JsonField> &fields);

/// JSON text, with U+FFFD in place of bytes that are no UTF-8; on one line where `indent` is -1.
std::string textOf(const Json &json, int indent);

/// A text that may quote any bytes of a file: cut to a readable length, without control characters,
/// and with U+FFFD in place of bytes that are no UTF-8.
std::string printable(std::string text);

} // namespace attune

#endif
