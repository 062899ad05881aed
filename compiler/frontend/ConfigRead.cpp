//===- ConfigRead.cpp - From JSON text and --set to a Config --------------===//
#include "frontend/Config.h"
#include "frontend/ConfigKeys.h"
#include "frontend/JsonReader.h"
#include "frontend/Nearest.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include <cassert>

namespace attune {
namespace {

using llvm::StringRef;

std::string quotedList(llvm::ArrayRef<StringRef> words) {
  return llvm::join(llvm::map_range(words, [](StringRef w) { return ("\"" + w + "\"").str(); }),
                    ", ");
}

/// The names that may stand in a section ("": the top level).
llvm::SmallVector<StringRef> namesIn(StringRef section, Op op) {
  llvm::SmallVector<StringRef> names;
  for (const ConfigKey &key : configKeys())
    if (key.section() == section && key.belongsTo(op))
      names.push_back(key.leaf());
  if (section.empty())
    names.append(configSections().begin(), configSections().end());
  return names;
}

/// What to write instead of an unknown key.
std::string keyAdvice(StringRef path, Op op) {
  auto [section, leaf] = path.rsplit('.');
  if (leaf.empty())
    std::swap(section, leaf);
  llvm::SmallVector<StringRef> names = namesIn(section, op);
  if (StringRef name = nearest(leaf, names); !name.empty())
    return ("did you mean \"" + name + "\"?").str();
  llvm::SmallVector<StringRef> leaves =
      llvm::map_to_vector(configKeys(), [](const ConfigKey &key) { return key.leaf(); });
  if (StringRef name = nearest(leaf, leaves); !name.empty())
    for (const ConfigKey &key : configKeys())
      if (key.leaf() == name)
        return ("did you mean \"" + key.path + "\"?").str();
  if (names.empty())
    return "expected a key in " + quotedList(configSections());
  return "expected one of " + quotedList(names);
}

/// ` (a string)` where the value is of another kind than the key: `"8"` and 8 look alike.
StringRef kindNote(const JsonMember &member, std::optional<KeyType> type = std::nullopt) {
  if (member.kind != JsonMember::Kind::Scalar)
    return "";
  const JsonScalar &value = member.scalar;
  if (std::holds_alternative<std::string>(value))
    return type == KeyType::String || type == KeyType::Choice ? "" : " (a string)";
  if (std::holds_alternative<int64_t>(value) || std::holds_alternative<double>(value))
    return type == KeyType::Integer || type == KeyType::Number ? "" : " (a number)";
  return std::holds_alternative<bool>(value) ? " (a boolean)" : "";
}

/// A bare word after --set KEY= stands for a string.
JsonMember wordMember(StringRef word) {
  JsonMember member;
  member.scalar = word.str();
  member.shown = showScalar(member.scalar);
  return member;
}

class ConfigReader {
public:
  explicit ConfigReader(StringRef fileName) : origins(fileName) {}

  llvm::Expected<Config> read(std::vector<JsonMember> file, llvm::ArrayRef<std::string> overrides);

private:
  llvm::Error addOverride(StringRef text);
  llvm::Error readOp();
  llvm::Error readSection(const JsonMember &member) const;
  llvm::Error readMember(const JsonMember &member);
  llvm::Error assign(const ConfigKey &key, const JsonMember &member);
  llvm::Error wrongValue(const ConfigKey &key, const JsonMember &member) const;
  void applyDefaults();

  Config config;
  ConfigOrigins origins;
  std::vector<JsonMember> members; ///< of the file, then of the command line
};

llvm::Error ConfigReader::addOverride(StringRef text) {
  auto [path, value] = text.split('=');
  if (path.size() == text.size() || path.empty())
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "--set " + printable(text) +
                                       ": expected KEY=VALUE, for example forward.is_causal=true");
  std::optional<JsonMember> json = readJsonValue(value);
  JsonMember member = json ? std::move(*json) : wordMember(value);
  member.path = path.str();
  // The last word counts, over the file and over an earlier --set. A section cannot be set as a
  // whole: it stays, and the override is refused.
  if (!llvm::is_contained(configSections(), path))
    llvm::erase_if(members, [&](const JsonMember &other) { return other.path == path; });
  members.push_back(std::move(member));
  return llvm::Error::success();
}

llvm::Error ConfigReader::wrongValue(const ConfigKey &key, const JsonMember &member) const {
  const auto *word = std::get_if<std::string>(&member.scalar);
  std::string advice;
  if (word && key.choices.size() > 1)
    if (StringRef name = nearest(*word, key.choices); !name.empty())
      advice = ("; did you mean \"" + name + "\"?").str();
  return configError(&origins, key.path,
                     "found " + member.shown + kindNote(member, key.type) + ", expected " +
                         expectation(key) + advice);
}

llvm::Error ConfigReader::assign(const ConfigKey &key, const JsonMember &member) {
  if (member.kind != JsonMember::Kind::Scalar || !setValue(key, config, member.scalar))
    return wrongValue(key, member);
  return llvm::Error::success();
}

/// The operation comes first, wherever it stands: it decides which keys and defaults there are.
llvm::Error ConfigReader::readOp() {
  for (const JsonMember &member : members)
    if (member.path == "op")
      return assign(*findConfigKey("op"), member);
  return llvm::Error::success();
}

llvm::Error ConfigReader::readSection(const JsonMember &member) const {
  bool inFile = member.line != 0;
  if (inFile && member.kind == JsonMember::Kind::Object)
    return llvm::Error::success();
  StringRef example = namesIn(member.path, config.op).front();
  std::string expected =
      inFile ? ("an object with keys such as \"" + example + "\"").str()
             : ("one key of it: --set " + member.path + "." + example + "=...").str();
  return configError(&origins, member.path,
                     "found " + member.shown + kindNote(member) + ", expected " + expected);
}

llvm::Error ConfigReader::readMember(const JsonMember &member) {
  if (llvm::is_contained(configSections(), member.path))
    return readSection(member);
  const ConfigKey *key = findConfigKey(member.path);
  if (!key)
    return configError(&origins, member.path, "unknown key; " + keyAdvice(member.path, config.op));
  if (!key->belongsTo(config.op)) {
    Op other = config.op == Op::Attention ? Op::MultiheadAttention : Op::Attention;
    return configError(&origins, key->path,
                       "belongs to op \"" + opName(other) + "\"; with op \"" + opName(config.op) +
                           "\" leave it out");
  }
  return assign(*key, member);
}

void ConfigReader::applyDefaults() {
  for (const ConfigKey &key : configKeys()) {
    StringRef text = key.defaultFor(config.op);
    if (text.empty() || origins.given(key.path))
      continue;
    std::optional<JsonMember> value = readJsonValue(text);
    [[maybe_unused]] bool valid = value && setValue(key, config, value->scalar);
    assert(valid && "a default of the table does not fit its key");
  }
}

llvm::Expected<Config> ConfigReader::read(std::vector<JsonMember> file,
                                          llvm::ArrayRef<std::string> overrides) {
  members = std::move(file);
  for (const std::string &text : overrides)
    if (llvm::Error error = addOverride(text))
      return error;
  for (const JsonMember &member : members)
    origins.note(member.path, member.line);
  if (llvm::Error error = readOp())
    return error;
  for (const JsonMember &member : members)
    if (llvm::Error error = readMember(member))
      return error;
  applyDefaults();
  if (llvm::Error error = checkConfig(config, &origins))
    return error;
  return config;
}

} // namespace

llvm::Expected<Config> parseConfig(StringRef text, StringRef fileName,
                                   llvm::ArrayRef<std::string> overrides) {
  llvm::Expected<std::vector<JsonMember>> members = readJsonObject(text, fileName);
  if (!members)
    return members.takeError();
  return ConfigReader(fileName).read(std::move(*members), overrides);
}

} // namespace attune
