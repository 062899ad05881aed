//===- CpuScheduleJson.cpp - The JSON form of a schedule ------------------===//
//
// One table of fields serves reading and writing.
//
//===----------------------------------------------------------------------===//
#include "schedules/CpuSchedule.h"
#include <algorithm>
#include <climits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <variant>

namespace attune {
namespace {

using Json = nlohmann::ordered_json;
using FieldRef = std::variant<int *, PackValue *, std::string *>;

struct Field {
  const char *section; ///< "": the top level
  const char *name;
  FieldRef (*field)(CpuSchedule &);
};

#define ATTUNE_FIELD(MEMBER) [](CpuSchedule &s) -> FieldRef { return &s.MEMBER; }

const Field fields[] = {
    {"", "query_tile", ATTUNE_FIELD(queryTile)},
    {"", "kv_tile", ATTUNE_FIELD(kvTile)},
    {"scores", "rows", ATTUNE_FIELD(scores.rows)},
    {"scores", "vectors", ATTUNE_FIELD(scores.vectors)},
    {"values", "rows", ATTUNE_FIELD(values.rows)},
    {"values", "vectors", ATTUNE_FIELD(values.vectors)},
    {"", "pack_value", ATTUNE_FIELD(packValue)},
    {"projection", "rows", ATTUNE_FIELD(projection.rows)},
    {"projection", "vectors", ATTUNE_FIELD(projection.vectors)},
    {"", "projection_rows", ATTUNE_FIELD(projectionRows)},
    {"", "projection_depth", ATTUNE_FIELD(projectionDepth)},
    {"", "weight_panel", ATTUNE_FIELD(weightPanel)},
    {"", "exp2_degree", ATTUNE_FIELD(exp2Degree)},
    {"", "grain", ATTUNE_FIELD(grain)},
    {"", "heads_per_worker", ATTUNE_FIELD(headsPerWorker)},
    {"provenance", "source", ATTUNE_FIELD(provenance.source)},
    {"provenance", "machine", ATTUNE_FIELD(provenance.machine)},
    {"provenance", "date", ATTUNE_FIELD(provenance.date)},
    {"provenance", "measured", ATTUNE_FIELD(provenance.measured)},
};

#undef ATTUNE_FIELD

constexpr std::pair<const char *, PackValue> packValues[] = {{"as_is", PackValue::AsIs},
                                                             {"per_head", PackValue::PerHead}};

/// The key of a field, or of a section, as messages name it.
std::string pathOf(const std::string &section, const std::string &name) {
  return section.empty() ? name : section + "." + name;
}

/// What is wrong with a text; does not leave this file.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Writer {
  Json operator()(const int *value) const { return *value; }
  Json operator()(const std::string *value) const { return *value; }
  Json operator()(const PackValue *value) const {
    for (auto [name, packValue] : packValues)
      if (packValue == *value)
        return name;
    return nullptr;
  }
};

/// Reads a value into a field; false when it has another type.
struct Reader {
  const Json &json;

  bool operator()(int *value) const {
    // As a double, so that values beyond int64_t do not wrap.
    if (!json.is_number_integer() || json.get<double>() < INT_MIN || json.get<double>() > INT_MAX)
      return false;
    *value = json.get<int>();
    return true;
  }
  bool operator()(std::string *value) const {
    if (!json.is_string())
      return false;
    *value = json.get<std::string>();
    return true;
  }
  bool operator()(PackValue *value) const {
    for (auto [name, packValue] : packValues)
      if (json == name) {
        *value = packValue;
        return true;
      }
    return false;
  }
};

const char *expectation(const FieldRef &field) {
  static const char *const texts[] = {"an integer", "\"as_is\" or \"per_head\"", "a string"};
  return texts[field.index()];
}

/// A message that may quote any bytes of the file: cut to a readable length, without control
/// characters, and with U+FFFD in place of bytes that are no UTF-8.
std::string printable(std::string message) {
  constexpr size_t longest = 400;
  if (message.size() > longest)
    message.replace(longest, std::string::npos, "...");
  std::replace_if(
      message.begin(), message.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return Json::parse(Json(message).dump(-1, ' ', false, Json::error_handler_t::replace))
      .get<std::string>();
}

/// Parses the text and refuses duplicate keys, which a DOM would lose, and deep nesting, which
/// would exhaust the stack of whoever prints the value.
Json parseText(const std::string &text) {
  constexpr size_t maxBytes = 1 << 16;
  constexpr int maxDepth = 8;
  if (text.size() > maxBytes)
    throw Refusal("larger than " + std::to_string(maxBytes) + " bytes");
  // The parser would take a NUL byte for the end of the text.
  if (text.find('\0') != std::string::npos)
    throw Refusal("found a NUL byte, expected JSON text");
  std::map<int, std::set<std::string>> keysAtDepth;
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

/// Refuses keys that are not in the table.
void checkKeys(const Json &object, const std::string &section) {
  for (const auto &[name, value] : object.items()) {
    bool known = false, isSection = false;
    for (const Field &field : fields) {
      known |= field.section == section && field.name == name;
      isSection |= section.empty() && field.section == name;
    }
    if (!known && !isSection)
      throw Refusal(pathOf(section, name) + ": unknown key");
    if (!isSection)
      continue;
    if (!value.is_object())
      throw Refusal(name + ": found " + value.dump().substr(0, 80) + ", expected an object");
    checkKeys(value, name);
  }
}

CpuSchedule fromJson(const Json &json) {
  if (!json.is_object())
    throw Refusal("expected a JSON object");
  checkKeys(json, "");
  CpuSchedule schedule;
  for (const Field &field : fields) {
    std::string section = field.section, path = pathOf(section, field.name);
    const Json empty = Json::object();
    const Json &object = section.empty() ? json : json.contains(section) ? json[section] : empty;
    FieldRef target = field.field(schedule);
    if (!object.contains(field.name))
      throw Refusal(path + ": missing; expected " + expectation(target));
    const Json &value = object[field.name];
    if (!std::visit(Reader{value}, target))
      throw Refusal(path + ": found " + value.dump().substr(0, 80) + ", expected " +
                    expectation(target));
  }
  return schedule;
}

} // namespace

std::string toJson(const CpuSchedule &schedule) {
  CpuSchedule copy = schedule;
  Json json;
  for (const Field &field : fields) {
    Json &object = *field.section ? json[field.section] : json;
    object[field.name] = std::visit(Writer(), field.field(copy));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool parseSchedule(const std::string &text, const std::string &fileName, CpuSchedule &schedule,
                   std::string &error) {
  try {
    schedule = fromJson(parseText(text));
    schedule.provenance.source = fileName;
    return true;
  } catch (const std::exception &exception) {
    error = fileName + ": " + printable(exception.what());
    return false;
  }
}

} // namespace attune
