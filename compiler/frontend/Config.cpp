//===- Config.cpp - Files and the canonical form --------------------------===//
#include "frontend/Config.h"
#include "frontend/ConfigKeys.h"
#include "frontend/JsonReader.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include <cmath>
#include <nlohmann/json.hpp>

namespace attune {
namespace {

/// Reads a file to its end, or up to a little more than a configuration may have: the path may name
/// a device or a pipe that never ends.
llvm::Expected<std::string> readLimited(llvm::sys::fs::file_t file) {
  constexpr size_t chunk = 1 << 16;
  std::string text;
  while (text.size() <= maxJsonBytes) {
    size_t used = text.size();
    text.resize(used + chunk);
    llvm::Expected<size_t> bytes =
        llvm::sys::fs::readNativeFile(file, llvm::MutableArrayRef<char>(&text[used], chunk));
    if (!bytes)
      return bytes.takeError();
    text.resize(used + *bytes);
    if (*bytes == 0)
      break;
  }
  return text;
}

llvm::Expected<std::string> readFile(llvm::StringRef path) {
  if (path == "-")
    return readLimited(llvm::sys::fs::getStdinHandle());
  llvm::Expected<llvm::sys::fs::file_t> file = llvm::sys::fs::openNativeFileForRead(path);
  if (!file)
    return file.takeError();
  auto close = llvm::scope_exit([&] { (void)llvm::sys::fs::closeFile(*file); });
  return readLimited(*file);
}

/// The configuration with what other keys imply filled in, and what has no effect at its default.
Config resolved(Config config) {
  config.computeDtype = config.productDtype();
  if (config.op == Op::MultiheadAttention) {
    config.module.kdim = config.module.kdim.value_or(config.module.embedDim);
    config.module.vdim = config.module.vdim.value_or(config.module.embedDim);
    if (!config.forward.batched)
      config.module.batchFirst = false;
  } else {
    config.module.scale = config.scale();
  }
  if (!config.forward.needWeights)
    config.forward.averageAttnWeights = true;
  return config;
}

nlohmann::ordered_json toJsonValue(const JsonScalar &scalar) {
  return std::visit(
      [](const auto &value) -> nlohmann::ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>)
          return nullptr;
        else
          return value;
      },
      scalar);
}

} // namespace

double Config::scale() const {
  return module.scale ? *module.scale : 1.0 / std::sqrt(static_cast<double>(module.headDim));
}

DType Config::productDtype() const {
  return computeDtype.value_or(dtype == DType::BFloat16 ? DType::BFloat16 : DType::Float32);
}

llvm::Expected<Config> loadConfig(llvm::StringRef path, llvm::ArrayRef<std::string> overrides) {
  llvm::StringRef fileName = path == "-" ? "<stdin>" : path;
  llvm::Expected<std::string> text = readFile(path);
  if (!text)
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   fileName + ": cannot read: " + llvm::toString(text.takeError()));
  return parseConfig(*text, fileName, overrides);
}

std::string toJson(const Config &config) {
  Config full = resolved(config);
  nlohmann::ordered_json json;
  for (const ConfigKey &key : configKeys()) {
    JsonScalar value = getValue(key, full);
    // A key that is neither given nor may be null is left out: score.
    if (!key.belongsTo(config.op) ||
        (std::holds_alternative<std::monostate>(value) && !key.nullable))
      continue;
    nlohmann::ordered_json &object = key.section().empty() ? json : json[key.section().str()];
    object[key.leaf().str()] = toJsonValue(value);
  }
  // A struct filled by hand may hold any bytes; the text is valid UTF-8 all the same.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace attune
