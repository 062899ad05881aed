//===- CompileCacheTest.cpp - Objects of earlier compilations -------------===//
#include "CacheFolder.h"
#include "llvm/Support/Path.h"
#include <csignal>
#include <fcntl.h>
#include <random>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace attune;

namespace {

using CompileCacheTest = CacheFolder;

const std::string key(64, 'a'), otherKey(64, 'b');

/// An object of `size` bytes that are all the same, so that half of one is noticed.
ObjectCode objectOf(size_t size) {
  ObjectCode code;
  code.packedBytes = static_cast<int64_t>(size);
  code.kernels = {"one", "two \n\"quoted\""};
  code.object.assign(size, static_cast<char>(size));
  return code;
}

void expectSame(const std::optional<ObjectCode> &found, const ObjectCode &expected) {
  ASSERT_TRUE(found);
  EXPECT_EQ(found->packedBytes, expected.packedBytes);
  EXPECT_EQ(found->kernels, expected.kernels);
  EXPECT_EQ(found->object, expected.object);
}

mode_t modeOf(const std::string &path) {
  struct stat status;
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

TEST_F(CompileCacheTest, GivesBackWhatWasStored) {
  const CompileCache cache = open();
  EXPECT_FALSE(cache.load(key));
  for (size_t size : {0, 1, 10, 100000}) {
    ObjectCode code = objectOf(size);
    if (size > 2)
      code.object[1] = '\0';
    cache.store(key, code);
    expectSame(cache.load(key), code);
    expectSame(open().load(key), code);
  }
  EXPECT_FALSE(cache.load(otherKey));
  EXPECT_TRUE(warnings.empty()) << warnings.front();
}

TEST_F(CompileCacheTest, WithoutADirectoryItStaysEmpty) {
  const CompileCache cache = open("");
  cache.store(key, objectOf(10));
  EXPECT_FALSE(cache.load(key));
  EXPECT_TRUE(warnings.empty()) << warnings.front();
}

//===----------------------------------------------------------------------===//
// Damaged and foreign entries
//===----------------------------------------------------------------------===//

TEST_F(CompileCacheTest, DamagedEntriesAreReplaced) {
  const CompileCache cache = open();
  const ObjectCode code = objectOf(10);
  cache.store(key, code);
  const std::string good = read(entryPath(key));
  auto expectRefused = [&](const std::string &bad, const std::string &what) {
    write(entryPath(key), bad);
    EXPECT_FALSE(cache.load(key)) << what;
    EXPECT_EQ(takeWarning(), entryPath(key) + " is damaged; compiling") << what;
  };
  for (size_t length = 0; length < good.size(); ++length)
    expectRefused(good.substr(0, length), "cut to " + std::to_string(length));
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] ^= 0x20;
    expectRefused(bad, "byte " + std::to_string(at));
  }
  expectRefused(good + "x", "one byte more");
  cache.store(key, code);
  expectSame(cache.load(key), code);
  EXPECT_TRUE(warnings.empty()) << warnings.front();
}

TEST_F(CompileCacheTest, AnEntryOfAnotherKeyIsNotUsed) {
  const CompileCache cache = open();
  cache.store(otherKey, objectOf(10));
  EXPECT_FALSE(llvm::sys::fs::rename(entryPath(otherKey), entryPath(key)));
  EXPECT_FALSE(cache.load(key));
  EXPECT_EQ(takeWarning(), entryPath(key) + " is damaged; compiling");
}

TEST_F(CompileCacheTest, WhatIsNoFileIsNotRead) {
  const CompileCache cache = open();
  cache.store(otherKey, objectOf(10));
  ASSERT_EQ(mkfifo(entryPath(key).c_str(), 0600), 0);
  EXPECT_FALSE(cache.load(key)) << "would wait for a writer";
  EXPECT_NE(takeWarning().find("cannot read " + entryPath(key)), std::string::npos);
  cache.store(key, objectOf(10));
  expectSame(cache.load(key), objectOf(10));
  ASSERT_EQ(truncate(entryPath(key).c_str(), off_t{1} << 40), 0);
  EXPECT_FALSE(cache.load(key)) << "a terabyte";
  EXPECT_NE(takeWarning().find("cannot read " + entryPath(key)), std::string::npos);
  llvm::sys::fs::remove(entryPath(key));
  ASSERT_FALSE(llvm::sys::fs::create_directory(entryPath(key)));
  EXPECT_FALSE(cache.load(key));
  EXPECT_NE(takeWarning().find("cannot read " + entryPath(key)), std::string::npos);
  cache.store(key, objectOf(10));
  EXPECT_NE(takeWarning().find("cannot write " + entryPath(key)), std::string::npos);
}

//===----------------------------------------------------------------------===//
// Directories
//===----------------------------------------------------------------------===//

TEST_F(CompileCacheTest, IsOursAlone) {
  const mode_t before = umask(0);
  open(folder + "/a/b").store(key, objectOf(10));
  umask(before);
  EXPECT_EQ(modeOf(folder + "/a"), 0700u);
  EXPECT_EQ(modeOf(folder + "/a/b"), 0700u);
  EXPECT_EQ(modeOf(folder + "/a/b/llvmcache-" + key), 0600u);
}

TEST_F(CompileCacheTest, ADirectoryThatOthersMayWriteIsNotUsed) {
  open().store(key, objectOf(10));
  for (mode_t mode : {0720, 0702, 0777}) {
    ASSERT_EQ(chmod((folder + "/cache").c_str(), mode), 0);
    const CompileCache cache = open();
    EXPECT_EQ(takeWarning(),
              "the cache is not used: " + folder + "/cache can be written by others");
    EXPECT_FALSE(cache.load(key));
    cache.store(otherKey, objectOf(10));
    EXPECT_TRUE(warnings.empty()) << "one warning is enough";
    EXPECT_FALSE(llvm::sys::fs::exists(entryPath(otherKey)));
  }
  ASSERT_EQ(chmod((folder + "/cache").c_str(), 0755), 0);
  EXPECT_TRUE(open().load(key)) << "others may read it";
}

TEST_F(CompileCacheTest, ADirectoryOfAnotherUserIsNotUsed) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only root can make one";
  open().store(key, objectOf(10));
  ASSERT_EQ(chown((folder + "/cache").c_str(), 12345, 0), 0);
  EXPECT_FALSE(open().load(key));
  EXPECT_EQ(takeWarning(), "the cache is not used: " + folder + "/cache belongs to another user");
}

TEST_F(CompileCacheTest, AnUnwritableDirectoryCostsAWarning) {
  write(folder + "/file", "x");
  const CompileCache below = open(folder + "/file/below");
  EXPECT_FALSE(below.load(key));
  warnings.clear();
  below.store(key, objectOf(10));
  EXPECT_NE(takeWarning().find("cannot create " + folder + "/file/below: Not a directory"),
            std::string::npos);
  const CompileCache file = open(folder + "/file");
  EXPECT_NE(takeWarning().find("/file is not a directory"), std::string::npos);
  file.store(key, objectOf(10));
  EXPECT_EQ(read(folder + "/file"), "x");
}

TEST_F(CompileCacheTest, AFullDiskCostsAWarning) {
  open().store(otherKey, objectOf(10));
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    open().store(key, objectOf(100000));
    const bool warned = takeWarning().find("cannot write " + entryPath(key) + ": File too large") !=
                        std::string::npos;
    _exit(warned && !llvm::sys::fs::exists(entryPath(key)) ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  std::error_code code;
  for (llvm::sys::fs::directory_iterator it(folder + "/cache", code), end; it != end;
       it.increment(code))
    EXPECT_FALSE(llvm::StringRef(it->path()).ends_with(".tmp")) << it->path();
}

TEST_F(CompileCacheTest, WhatWasNotUsedForLongIsRemoved) {
  const CompileCache cache = open();
  cache.store(key, objectOf(10));
  cache.store(otherKey, objectOf(10));
  write(folder + "/cache/notes.txt", "not ours");
  const timespec longAgo[2] = {{1, 0}, {1, 0}};
  for (const std::string &name :
       {"llvmcache-" + key, std::string("llvmcache.timestamp"), std::string("notes.txt")})
    ASSERT_EQ(utimensat(AT_FDCWD, (folder + "/cache/" + name).c_str(), longAgo, 0), 0);
  cache.store(std::string(64, 'c'), objectOf(10));
  EXPECT_FALSE(llvm::sys::fs::exists(entryPath(key)));
  EXPECT_TRUE(cache.load(otherKey));
  EXPECT_TRUE(cache.load(std::string(64, 'c')));
  EXPECT_TRUE(llvm::sys::fs::exists(folder + "/cache/notes.txt"));
  EXPECT_TRUE(warnings.empty()) << warnings.front();
}

TEST(CompileCacheDirectory, ComesFromTheEnvironment) {
  const char *const names[] = {"ATTUNE_CACHE_DIR", "XDG_CACHE_HOME", "HOME"};
  std::vector<std::optional<std::string>> before;
  for (const char *name : names)
    before.push_back(getenv(name) ? std::optional<std::string>(getenv(name)) : std::nullopt);
  setenv("ATTUNE_CACHE_DIR", "/given", 1);
  EXPECT_EQ(CompileCache::defaultDirectory(), "/given");
  setenv("ATTUNE_CACHE_DIR", "", 1);
  EXPECT_EQ(CompileCache::defaultDirectory(), "");
  unsetenv("ATTUNE_CACHE_DIR");
  setenv("XDG_CACHE_HOME", "/xdg", 1);
  setenv("HOME", "/me", 1);
  EXPECT_EQ(CompileCache::defaultDirectory(), "/xdg/attune");
  for (const char *relative : {"", "relative"}) {
    setenv("XDG_CACHE_HOME", relative, 1);
    EXPECT_EQ(CompileCache::defaultDirectory(), "/me/.cache/attune");
  }
  unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(CompileCache::defaultDirectory(), "/me/.cache/attune");
  setenv("HOME", "relative", 1);
  EXPECT_EQ(CompileCache::defaultDirectory(), "");
  for (size_t k = 0; k < std::size(names); ++k)
    before[k] ? setenv(names[k], before[k]->c_str(), 1) : unsetenv(names[k]);
}

//===----------------------------------------------------------------------===//
// Several processes
//===----------------------------------------------------------------------===//

/// Is this what some objectOf gave?
bool isWhole(const ObjectCode &code) {
  return code.packedBytes == static_cast<int64_t>(code.object.size()) &&
         llvm::all_of(code.object,
                      [&](char c) { return c == static_cast<char>(code.packedBytes); });
}

TEST_F(CompileCacheTest, ProcessesShareEntries) {
  constexpr int processes = 4, rounds = 200;
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    children.push_back(fork());
    if (children.back() != 0)
      continue;
    const CompileCache cache = open();
    for (int round = 0; round < rounds; ++round) {
      cache.store(key, objectOf(1000 * process + round));
      std::optional<ObjectCode> found = cache.load(key);
      if (!found || !isWhole(*found) || !warnings.empty())
        _exit(1);
    }
    _exit(0);
  }
  for (pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

TEST_F(CompileCacheTest, AProcessKilledWhileItWritesLeavesWholeEntries) {
  std::mt19937 random(7);
  open().store(key, objectOf(10));
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    if (child == 0)
      for (size_t size = 1;; size = size * 2 % 999983)
        open().store(key, objectOf(size));
    usleep(random() % 5000);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    std::optional<ObjectCode> found = open().load(key);
    ASSERT_TRUE(found) << "round " << round;
    EXPECT_TRUE(isWhole(*found)) << "round " << round;
  }
  EXPECT_TRUE(warnings.empty()) << warnings.front();
}

} // namespace
