//===- CompileCache.h - Objects of earlier compilations ---------*- C++ -*-===//
//
// A folder of files, one a compilation, that any number of processes may use at once: files appear
// and disappear as wholes. What is damaged, foreign or out of reach costs a compilation and a
// warning, never more.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_PACKAGE_COMPILECACHE_H
#define ATTUNE_PACKAGE_COMPILECACHE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace attune {

/// An object and what its metadata say of it.
struct ObjectCode {
  int64_t packedBytes = 0;          ///< of packed parameters, header included
  std::vector<std::string> kernels; ///< symbols
  llvm::SmallVector<char, 0> object;
};

class CompileCache {
public:
  /// The cache in `directory`, which is made by the first store; "" is a cache that stays empty,
  /// and so is a directory that others may write. `warn` is told what went wrong.
  CompileCache(std::string directory, std::function<void(const std::string &)> warn);

  /// $ATTUNE_CACHE_DIR, or attune/ below $XDG_CACHE_HOME or ~/.cache; "" if ATTUNE_CACHE_DIR is set
  /// to nothing, or if there is no home.
  static std::string defaultDirectory();

  /// The object stored under a key (cacheKey), unless there is none or it is damaged.
  std::optional<ObjectCode> load(llvm::StringRef key) const;
  /// Stores an object, then removes what has not been used for long and what is too much.
  void store(llvm::StringRef key, const ObjectCode &object) const;

private:
  std::string pathOf(llvm::StringRef key) const;
  /// Is the folder there, ours, and nobody else's to write? Objects are code that will run.
  bool isSafe() const;

  std::string directory;
  std::function<void(const std::string &)> warn;
};

} // namespace attune

#endif
