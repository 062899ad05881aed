// A folder of its own for the cache of one test, and what the cache warned of.
#pragma once

#include "package/CompileCache.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

namespace attune {

class CacheFolder : public testing::Test {
protected:
  CacheFolder() {
    llvm::SmallString<128> path;
    if (llvm::sys::fs::createUniqueDirectory("attune-cache-test", path))
      ADD_FAILURE() << "no temporary directory";
    folder = path.str().str();
  }
  ~CacheFolder() override { llvm::sys::fs::remove_directories(folder); }

  CompileCache open(const std::string &directory) {
    return CompileCache(directory, [this](const std::string &text) { warnings.push_back(text); });
  }
  CompileCache open() { return open(folder + "/cache"); }

  /// The one warning since the last call; "" if there is none or more than one.
  std::string takeWarning() {
    std::string text = warnings.size() == 1 ? warnings.front() : "";
    warnings.clear();
    return text;
  }

  std::string entryPath(const std::string &key) const { return folder + "/cache/llvmcache-" + key; }
  static std::string read(const std::string &path) {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    return buffer ? (*buffer)->getBuffer().str() : "";
  }
  static void write(const std::string &path, llvm::StringRef text) {
    std::error_code code;
    llvm::raw_fd_ostream(path, code) << text;
    EXPECT_FALSE(code) << code.message();
  }

  std::string folder;
  std::vector<std::string> warnings;
};

} // namespace attune
