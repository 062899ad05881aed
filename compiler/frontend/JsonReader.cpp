//===- JsonReader.cpp - JSON text as a flat list of members ---------------===//
#include "frontend/JsonReader.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/JSON.h"
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

namespace attune {
namespace {

using Json = nlohmann::json;

constexpr size_t maxDepth = 16;
// Long keys would make the dotted paths of their members quadratic in the size of the text.
constexpr size_t maxKeyBytes = 128;
constexpr size_t maxShownBytes = 128;

/// An input iterator that counts the line ends that it has passed.
class LineCountingIterator {
public:
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char *;
  using reference = const char &;
  using iterator_category = std::input_iterator_tag;

  LineCountingIterator(const char *at, int *line) : at(at), line(line) {}

  reference operator*() const { return *at; }
  LineCountingIterator &operator++() {
    *line += *at == '\n';
    ++at;
    return *this;
  }
  bool operator==(const LineCountingIterator &other) const { return at == other.at; }
  bool operator!=(const LineCountingIterator &other) const { return at != other.at; }

private:
  const char *at;
  int *line;
};

/// Collects members; stops at the first error and keeps its text.
class Collector final : public nlohmann::json_sax<Json> {
public:
  Collector(llvm::StringRef text, llvm::StringRef fileName) : text(text), fileName(fileName) {}

  std::vector<JsonMember> members;
  JsonMember root; ///< the outermost value
  int line = 1;
  std::string error;

  bool null() override { return add(std::monostate(), "null"); }
  bool boolean(bool value) override { return add(value, value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return add(int64_t(value), std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > uint64_t(INT64_MAX))
      return add(double(value), std::to_string(value));
    return add(int64_t(value), std::to_string(value));
  }
  bool number_float(number_float_t value, const string_t &written) override {
    return add(value, printable(written));
  }
  bool string(string_t &value) override { return add(value, showScalar(JsonScalar(value))); }
  // No JSON text has a binary value; the parser asks for the function all the same.
  bool binary(binary_t &) override { return fail("binary data"); }

  bool start_object(std::size_t) override { return open(JsonMember::Kind::Object); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(JsonMember::Kind::Array); }
  bool end_array() override { return close(); }
  bool key(string_t &name) override;
  bool parse_error(std::size_t offset, const std::string &,
                   const nlohmann::detail::exception &problem) override;

private:
  /// An object or array whose end has not been seen.
  struct Level {
    std::string path;
    bool inArray; ///< this is an array, or lies in one
    std::set<std::string> keys;
  };

  bool add(JsonScalar scalar, std::string shown);
  bool open(JsonMember::Kind kind);
  bool close() {
    levels.pop_back();
    return true;
  }
  /// Where the next value belongs; null inside arrays.
  JsonMember *target();
  bool fail(const llvm::Twine &message) {
    error = (fileName + ":" + llvm::Twine(line) + ": " + message).str();
    return false;
  }

  llvm::StringRef text, fileName;
  std::vector<Level> levels;
};

JsonMember *Collector::target() {
  if (levels.empty())
    return &root;
  return levels.back().inArray ? nullptr : &members.back();
}

bool Collector::add(JsonScalar scalar, std::string shown) {
  if (JsonMember *member = target()) {
    member->scalar = std::move(scalar);
    member->shown = std::move(shown);
  }
  return true;
}

bool Collector::open(JsonMember::Kind kind) {
  if (levels.size() == maxDepth)
    return fail("objects and arrays are nested more than " + llvm::Twine(maxDepth) + " deep");
  Level level;
  level.inArray = kind == JsonMember::Kind::Array || (!levels.empty() && levels.back().inArray);
  if (JsonMember *member = target()) {
    member->kind = kind;
    member->shown = kind == JsonMember::Kind::Object ? "an object" : "an array";
    level.path = member->path;
  }
  levels.push_back(std::move(level));
  return true;
}

bool Collector::key(string_t &name) {
  Level &level = levels.back();
  if (level.inArray)
    return true;
  std::string path = level.path.empty() ? name : level.path + "." + name;
  if (name.size() > maxKeyBytes)
    return fail(printable(path) + ": the key has more than " + llvm::Twine(maxKeyBytes) + " bytes");
  if (llvm::StringRef(name).contains('.'))
    return fail(printable(path) + ": a key must not contain a dot; write nested objects");
  if (!level.keys.insert(name).second)
    return fail(printable(path) + ": duplicate key; remove one of the two");
  members.emplace_back();
  members.back().path = std::move(path);
  members.back().line = line;
  return true;
}

bool Collector::parse_error(std::size_t offset, const std::string &token,
                            const nlohmann::detail::exception &problem) {
  constexpr int numberOverflow = 406;
  if (problem.id == numberOverflow) {
    JsonMember *member = target();
    return fail((member ? printable(member->path) + ": found " : "found ") + printable(token) +
                ", expected a number that fits a double");
  }
  // The offset counts the characters read, one more at the end of the text.
  llvm::StringRef before = text.take_front(std::min(offset, text.size()));
  size_t atLine = before.count('\n') + 1;
  size_t column = std::max<size_t>(1, before.size() - (before.rfind('\n') + 1));
  llvm::StringRef what = problem.what();
  // The library's own prefix (identifier, line and column) is said better by ours.
  if (size_t at = what.find("syntax error"); at != llvm::StringRef::npos)
    what = what.substr(at);
  // What the library calls last read goes back to the last string or number, however long.
  auto [head, tail] = what.split("; last read: ");
  size_t expected = tail.rfind("; expected ");
  error = (fileName + ":" + llvm::Twine(atLine) + ":" + llvm::Twine(column) + ": JSON " +
           printable(head) +
           (expected == llvm::StringRef::npos ? "" : printable(tail.substr(expected))))
              .str();
  return false;
}

/// Runs the parser; false when the text is not accepted, with the reason in collector.error.
bool run(llvm::StringRef text, Collector &collector) {
  try {
    LineCountingIterator first(text.begin(), &collector.line);
    LineCountingIterator last(text.end(), &collector.line);
    return Json::sax_parse(first, last, &collector);
  } catch (const std::exception &exception) {
    collector.error = exception.what();
    return false;
  }
}

llvm::Error failure(const llvm::Twine &message) {
  return llvm::make_error<llvm::StringError>(message, llvm::inconvertibleErrorCode());
}

} // namespace

llvm::Expected<std::vector<JsonMember>> readJsonObject(llvm::StringRef text,
                                                       llvm::StringRef fileName) {
  if (text.size() > maxJsonBytes)
    return failure(fileName + ": larger than " + llvm::Twine(maxJsonBytes) + " bytes");
  // The parser would take a NUL byte for the end of the text.
  if (size_t at = text.find('\0'); at != llvm::StringRef::npos)
    return failure(fileName + ":" + llvm::Twine(text.take_front(at).count('\n') + 1) +
                   ": found a NUL byte, expected JSON text");
  Collector collector(text, fileName);
  if (!run(text, collector))
    return failure(collector.error);
  if (collector.root.kind != JsonMember::Kind::Object)
    return failure(fileName + ":1: found " + collector.root.shown + ", expected a JSON object");
  return std::move(collector.members);
}

std::optional<JsonMember> readJsonValue(llvm::StringRef text) {
  Collector collector(text, "");
  if (text.size() > maxJsonBytes || !run(text, collector))
    return std::nullopt;
  return std::move(collector.root);
}

std::string showScalar(const JsonScalar &scalar) {
  if (const auto *string = std::get_if<std::string>(&scalar))
    return "\"" + printable(*string) + "\"";
  if (std::holds_alternative<std::monostate>(scalar))
    return "null";
  if (const bool *boolean = std::get_if<bool>(&scalar))
    return *boolean ? "true" : "false";
  if (const int64_t *integer = std::get_if<int64_t>(&scalar))
    return std::to_string(*integer);
  double number = std::get<double>(scalar);
  if (!std::isfinite(number))
    return std::isnan(number) ? "nan" : number < 0 ? "-inf" : "inf";
  return Json(number).dump();
}

std::string printable(llvm::StringRef text) {
  size_t length = std::min(text.size(), maxShownBytes);
  // Not in the middle of a UTF-8 sequence.
  while (length < text.size() && length > 0 && (uint8_t(text[length]) & 0xC0) == 0x80)
    --length;
  std::string result;
  for (char c : llvm::json::fixUTF8(text.take_front(length))) {
    if (uint8_t(c) < 0x20 || c == 0x7f)
      result += "\\u00" + llvm::utohexstr(uint8_t(c), /*LowerCase=*/true, /*Width=*/2);
    else
      result += c;
  }
  return length < text.size() ? result + "..." : result;
}

} // namespace attune
