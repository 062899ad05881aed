//===- CompileCache.cpp - Objects of earlier compilations -----------------===//
//
// An entry: a line of format version and checksum, a line of JSON, the object. The checksum is of
// everything behind the first line.
//
//===----------------------------------------------------------------------===//
#include "package/CompileCache.h"

#include "package/Files.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include <unistd.h>

using namespace llvm;

namespace attune {

namespace {
constexpr StringLiteral kFormat = "attune-cache 1 ";
// pruneCache looks at files whose names begin like this.
constexpr StringLiteral kPrefix = "llvmcache-";
constexpr uint64_t kLargestEntry = 256 << 20;

CachePruningPolicy pruningPolicy() {
  CachePruningPolicy policy;
  policy.Expiration = std::chrono::hours(90 * 24);
  policy.MaxSizeBytes = 1 << 30;
  return policy;
}

std::string checksum(StringRef text) {
  return toHex(BLAKE3::hash<32>(arrayRefFromStringRef(text)), true);
}

std::string serialize(StringRef key, const ObjectCode &object) {
  json::Object facts{
      {"key", key}, {"packed_bytes", object.packedBytes}, {"kernels", json::Array(object.kernels)}};
  std::string body = formatv("{0}\n", json::Value(std::move(facts)));
  body.append(object.object.begin(), object.object.end());
  return kFormat.str() + checksum(body) + "\n" + body;
}

/// Nothing if the entry is not what serialize wrote for this key.
std::optional<ObjectCode> deserialize(StringRef key, StringRef text) {
  if (!text.consume_front(kFormat))
    return std::nullopt;
  auto [sum, body] = text.split('\n');
  if (sum != checksum(body))
    return std::nullopt;
  auto [line, code] = body.split('\n');
  Expected<json::Value> facts = json::parse(line);
  if (!facts) {
    consumeError(facts.takeError());
    return std::nullopt;
  }
  ObjectCode object;
  std::string storedKey;
  json::Path::Root root;
  json::ObjectMapper mapper(*facts, root);
  if (!mapper || !mapper.map("key", storedKey) || storedKey != key ||
      !mapper.map("packed_bytes", object.packedBytes) || !mapper.map("kernels", object.kernels))
    return std::nullopt;
  object.object.assign(code.begin(), code.end());
  return object;
}

/// Reads a regular file of a bearable size into memory. Not mapped: the file may be cut short while
/// it is used.
ErrorOr<std::unique_ptr<MemoryBuffer>> readEntry(StringRef path) {
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return code;
  if (status.type() != sys::fs::file_type::regular_file || status.getSize() > kLargestEntry)
    return std::make_error_code(std::errc::file_too_large);
  return MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false,
                               /*IsVolatile=*/true);
}
} // namespace

CompileCache::CompileCache(std::string path, std::function<void(const std::string &)> warn)
    : directory(std::move(path)), warn(std::move(warn)) {
  if (!directory.empty() && sys::fs::exists(directory) && !isSafe())
    directory.clear();
}

std::string CompileCache::defaultDirectory() {
  if (std::optional<std::string> given = sys::Process::GetEnv("ATTUNE_CACHE_DIR"))
    return *given;
  SmallString<128> path;
  if (!sys::path::cache_directory(path) || !sys::path::is_absolute(path)) {
    // XDG_CACHE_HOME counts only if it is absolute.
    if (!sys::path::home_directory(path) || !sys::path::is_absolute(path))
      return "";
    sys::path::append(path, ".cache");
  }
  sys::path::append(path, "attune");
  return path.str().str();
}

std::string CompileCache::pathOf(StringRef key) const {
  SmallString<128> path(directory);
  sys::path::append(path, kPrefix + key);
  return path.str().str();
}

bool CompileCache::isSafe() const {
  sys::fs::file_status status;
  const char *problem = nullptr;
  if (sys::fs::status(directory, status))
    problem = "cannot be reached";
  else if (status.type() != sys::fs::file_type::directory_file)
    problem = "is not a directory";
  else if (status.getUser() != geteuid())
    problem = "belongs to another user";
  else if (status.permissions() & (sys::fs::group_write | sys::fs::others_write))
    problem = "can be written by others";
  if (problem)
    warn(formatv("the cache is not used: {0} {1}", directory, problem));
  return !problem;
}

std::optional<ObjectCode> CompileCache::load(StringRef key) const {
  if (directory.empty())
    return std::nullopt;
  const std::string path = pathOf(key);
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = readEntry(path);
  if (!buffer) {
    if (buffer.getError() != std::errc::no_such_file_or_directory)
      warn(formatv("cannot read {0}: {1}; compiling", path, buffer.getError().message()));
    return std::nullopt;
  }
  std::optional<ObjectCode> object = deserialize(key, (*buffer)->getBuffer());
  if (!object)
    warn(formatv("{0} is damaged; compiling", path));
  return object;
}

void CompileCache::store(StringRef key, const ObjectCode &object) const {
  const std::string text = serialize(key, object);
  if (directory.empty() || text.size() > kLargestEntry)
    return;
  if (std::error_code code =
          sys::fs::create_directories(directory, /*IgnoreExisting=*/true, sys::fs::owner_all)) {
    warn(formatv("the cache is not used: cannot create {0}: {1}", directory, code.message()));
    return;
  }
  if (!isSafe())
    return;
  if (Error error = writeFile(pathOf(key), text, sys::fs::owner_read | sys::fs::owner_write)) {
    warn(toString(std::move(error)));
    return;
  }
  pruneCache(directory, pruningPolicy());
}

} // namespace attune
