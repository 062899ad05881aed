//===- ConfigSchema.cpp - The JSON Schema of the configuration ------------===//
#include "frontend/ConfigSchema.h"
#include "frontend/ConfigKeys.h"
#include <nlohmann/json.hpp>

namespace attune {
namespace {

using Json = nlohmann::ordered_json;
using llvm::StringRef;

/// In the order of KeyType.
constexpr const char *typeNames[] = {"boolean", "integer", "number", "string", "string"};

std::string describe(const ConfigKey &key) {
  std::string text = expectation(key);
  if (!key.constraint.empty() && key.type != KeyType::String)
    text += ("; " + key.constraint).str();
  return text;
}

/// What holds for a key whatever the operation is.
Json keySchema(const ConfigKey &key) {
  Json schema{{"title", key.help.str()}, {"description", describe(key)}};
  const char *type = typeNames[static_cast<size_t>(key.type)];
  schema["type"] = key.nullable ? Json{type, "null"} : Json(type);
  for (StringRef choice : key.choices)
    schema["enum"].push_back(choice.str());
  if (key.nullable && !key.choices.empty())
    schema["enum"].push_back(nullptr);
  if (!key.pattern.empty())
    schema["pattern"] = key.pattern.str();
  if (key.type == KeyType::Integer) {
    schema["minimum"] = static_cast<int64_t>(key.min);
    schema["maximum"] = static_cast<int64_t>(key.max);
  } else if (key.type == KeyType::Number) {
    schema["minimum"] = key.min;
    schema["maximum"] = key.max;
  }
  if (!key.defaultText.empty() && key.attentionDefaultText.empty())
    schema["default"] = Json::parse(key.defaultText.str());
  return schema;
}

Json objectSchema() {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
}

/// The part of a schema that a key of this section belongs to.
Json &sectionOf(Json &schema, const ConfigKey &key) {
  return key.section().empty() ? schema : schema["properties"][key.section().str()];
}

/// What one operation adds: keys that it needs, keys that it does not have, defaults of its own.
Json opSchema(Op op) {
  Json schema = Json::object();
  for (const ConfigKey &key : configKeys()) {
    const std::string leaf = key.leaf().str();
    if (!key.belongsTo(op))
      sectionOf(schema, key)["properties"][leaf] = false;
    else if (key.required)
      sectionOf(schema, key)["required"].push_back(leaf);
    else if (!key.attentionDefaultText.empty())
      sectionOf(schema, key)["properties"][leaf]["default"] = Json::parse(key.defaultFor(op).str());
  }
  for (StringRef section : configSections())
    if (schema["properties"][section.str()].contains("required"))
      schema["required"].push_back(section.str());
  return schema;
}

} // namespace

std::string configSchema() {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "A configuration of attune"},
              {"description", "A multi-head attention module in the terms of "
                              "torch.nn.MultiheadAttention"}};
  schema.update(objectSchema());
  for (const ConfigKey &key : configKeys()) {
    Json &section = sectionOf(schema, key);
    if (section.is_null())
      section = objectSchema();
    section["properties"][key.leaf().str()] = keySchema(key);
  }
  schema["if"] = {{"required", Json::array({"op"})},
                  {"properties", {{"op", {{"const", opName(Op::Attention).str()}}}}}};
  schema["then"] = opSchema(Op::Attention);
  schema["else"] = opSchema(Op::MultiheadAttention);
  return schema.dump(2) + "\n";
}

} // namespace attune
