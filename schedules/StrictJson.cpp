//===- StrictJson.cpp - JSON objects that are read strictly ---------------===//
#include "schedules/StrictJson.h"
#include <algorithm>
#include <climits>
#include <map>
#include <set>

namespace attune {
namespace {

/// Larger integers are not exact in every JSON reader.
constexpr double largestInteger = 9007199254740992.0;

std::string join(const std::string &path, const std::string &name) {
  return path.empty() ? name : path + "." + name;
}

struct Writer {
  Json operator()(const JsonChoice &value) const { return value.words[value.position]; }
  template <typename T> Json operator()(const T *value) const { return *value; }
};

bool isInteger(const Json &json, double lowest, double highest) {
  // As a double, so that values beyond int64_t do not wrap.
  return json.is_number_integer() && json.get<double>() >= lowest && json.get<double>() <= highest;
}

/// Reads a value into a field; false when it has another type.
struct Reader {
  const Json &json;

  bool operator()(int *value) const { return take(value, isInteger(json, INT_MIN, INT_MAX)); }
  bool operator()(int64_t *value) const {
    return take(value, isInteger(json, -largestInteger, largestInteger));
  }
  bool operator()(double *value) const { return take(value, json.is_number()); }
  bool operator()(bool *value) const { return take(value, json.is_boolean()); }
  bool operator()(std::string *value) const { return take(value, json.is_string()); }
  bool operator()(const JsonChoice &value) const {
    auto word = std::find_if(value.words.begin(), value.words.end(),
                             [&](const char *candidate) { return json == candidate; });
    if (word == value.words.end())
      return false;
    value.choose(static_cast<size_t>(word - value.words.begin()));
    return true;
  }

  template <typename T> bool take(T *value, bool fits) const {
    if (fits)
      *value = json.get<T>();
    return fits;
  }
};

struct Expectation {
  std::string operator()(const int *) const { return "an integer"; }
  std::string operator()(const int64_t *) const { return "an integer"; }
  std::string operator()(const double *) const { return "a number"; }
  std::string operator()(const bool *) const { return "true or false"; }
  std::string operator()(const std::string *) const { return "a string"; }
  std::string operator()(const JsonChoice &value) const {
    std::string text;
    for (const char *word : value.words)
      text += (text.empty() ? "\"" : " or \"") + std::string(word) + "\"";
    return text;
  }
};

std::string excerpt(const Json &json) { return textOf(json, -1).substr(0, 80); }

/// Refuses keys that are not in the table.
void checkKeys(const Json &object, const std::string &path, const std::string &section,
               const std::vector<JsonField> &fields) {
  if (!object.is_object())
    throw Refusal(path.empty() ? "expected a JSON object"
                               : path + ": found " + excerpt(object) + ", expected an object");
  for (const auto &[name, value] : object.items()) {
    bool known = false, isSection = false;
    for (const JsonField &field : fields) {
      known |= field.section == section && field.name == name;
      isSection |= section.empty() && field.section == name;
    }
    if (!known && !isSection)
      throw Refusal(join(path, name) + ": unknown key");
    if (isSection)
      checkKeys(value, join(path, name), name, fields);
  }
}

} // namespace

Json parseStrictly(const std::string &text) {
  constexpr size_t maxBytes = 1 << 16;
  constexpr int maxDepth = 8; // deeper nesting would exhaust the stack of whoever prints the value
  if (text.size() > maxBytes)
    throw Refusal("larger than " + std::to_string(maxBytes) + " bytes");
  // The parser would take a NUL byte for the end of the text.
  if (text.find('\0') != std::string::npos)
    throw Refusal("found a NUL byte, expected JSON text");
  std::map<int, std::set<std::string>> keysAtDepth; // a DOM would lose duplicates
  auto watch = [&](int depth, Json::parse_event_t event, Json &value) {
    if (depth > maxDepth)
      throw Refusal("nested more than " + std::to_string(maxDepth) + " deep");
    if (event == Json::parse_event_t::object_start)
      keysAtDepth[depth + 1].clear();
    else if (event == Json::parse_event_t::key &&
             !keysAtDepth[depth].insert(value.get<std::string>()).second)
      throw Refusal(value.get<std::string>() + ": duplicate key");
    return true;
  };
  return Json::parse(text, watch);
}

Json writeFields(const std::vector<JsonField> &fields) {
  Json json;
  for (const JsonField &field : fields) {
    Json &object = *field.section ? json[field.section] : json;
    object[field.name] = std::visit(Writer(), field.value);
  }
  return json;
}

void readFields(const Json &json, const std::string &path, const std::vector<JsonField> &fields) {
  checkKeys(json, path, "", fields);
  const Json empty = Json::object();
  for (const JsonField &field : fields) {
    const std::string section = field.section;
    const std::string name = join(section.empty() ? path : join(path, section), field.name);
    const Json &object = section.empty() ? json : json.contains(section) ? json[section] : empty;
    if (!object.contains(field.name))
      throw Refusal(name + ": missing; expected " + std::visit(Expectation(), field.value));
    const Json &value = object[field.name];
    if (!std::visit(Reader{value}, field.value))
      throw Refusal(name + ": found " + excerpt(value) + ", expected " +
                    std::visit(Expectation(), field.value));
  }
}

std::string textOf(const Json &json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string printable(std::string text) {
  constexpr size_t longest = 400;
  if (text.size() > longest)
    text.replace(longest, std::string::npos, "...");
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return Json::parse(textOf(Json(text), -1)).get<std::string>();
}

} // namespace attune
