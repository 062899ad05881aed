//===- ConfigKeys.h - The table of configuration keys -----------*- C++ -*-===//
//
// Everything that is known of a key stands in one row: path, type, operations, default, constraint,
// help and field. Reading, checking, writing, the JSON Schema and the documentation come from it.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_COMPILER_FRONTEND_CONFIGKEYS_H
#define ATTUNE_COMPILER_FRONTEND_CONFIGKEYS_H

#include "frontend/Config.h"
#include "frontend/JsonReader.h"
#include <map>
#include <variant>

namespace attune {

enum class KeyType { Boolean, Integer, Number, String, Choice };

/// The operations that a key belongs to.
enum class KeyOps { Both, MultiheadAttention, Attention };

/// The field of a Config that a key stands for.
using FieldRef =
    std::variant<bool *, int64_t *, double *, std::string *, std::optional<int64_t> *,
                 std::optional<double> *, std::optional<std::string> *, Op *, DType *,
                 std::optional<DType> *, FullyMaskedRows *, Inputs *, AttnMask *, KeyPaddingMask *>;

struct ConfigKey {
  llvm::StringRef path; ///< "section.leaf", or "leaf" at the top level
  KeyType type;
  KeyOps ops = KeyOps::Both;
  bool required = false;
  bool nullable = false;
  llvm::StringRef defaultText = {};             ///< JSON; empty: absent, or required
  llvm::StringRef attentionDefaultText = {};    ///< JSON, where op attention has another default
  double min = 0, max = 0;                      ///< Integer and Number: both included
  llvm::ArrayRef<llvm::StringRef> choices = {}; ///< in the order of the enumeration
  llvm::StringRef pattern = {};    ///< String: a regular expression, in POSIX and in ECMA terms
  llvm::StringRef constraint = {}; ///< what type, range and choices do not say; a pattern in words
  llvm::StringRef help = {};
  FieldRef (*field)(Config &) = nullptr;

  llvm::StringRef section() const { return path.contains('.') ? path.split('.').first : ""; }
  llvm::StringRef leaf() const { return path.substr(path.rfind('.') + 1); }
  bool belongsTo(Op op) const;
  llvm::StringRef defaultFor(Op op) const;
};

/// Every key, in the order of the canonical form: the top level, then section after section.
llvm::ArrayRef<ConfigKey> configKeys();

/// The key with this path, or null.
const ConfigKey *findConfigKey(llvm::StringRef path);

/// The sections: "module", "forward".
llvm::ArrayRef<llvm::StringRef> configSections();

/// The name of an operation in the JSON form.
llvm::StringRef opName(Op op);

/// The key's value in a configuration; choices as strings.
JsonScalar getValue(const ConfigKey &key, const Config &config);

/// Sets the key's field; false when the value has the wrong type or is not one of the choices.
/// Ranges are checked by checkConfig.
[[nodiscard]] bool setValue(const ConfigKey &key, Config &config, const JsonScalar &value);

/// What a value must be, for messages: `an integer from 1 to 65536`.
std::string expectation(const ConfigKey &key);

/// Where the keys of a configuration were given. Messages begin with it.
class ConfigOrigins {
public:
  explicit ConfigOrigins(llvm::StringRef fileName) : fileName(fileName) {}

  /// Notes the line of a key in the file; line 0 stands for --set.
  void note(llvm::StringRef path, int line) { lines[path.str()] = line; }
  bool given(llvm::StringRef path) const { return lines.count(path.str()) != 0; }
  /// `attention.json:7: forward.batch`, `--set forward.batch`, or, for a key that was not given,
  /// `attention.json: forward.batch`.
  std::string place(llvm::StringRef path) const;

private:
  std::string fileName;
  std::map<std::string, int> lines;
};

/// An error whose text is the place of a key, a colon and the message.
llvm::Error configError(const ConfigOrigins *origins, llvm::StringRef path,
                        const llvm::Twine &message);

} // namespace attune

#endif
