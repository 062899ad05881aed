//===- CompileWithCacheTest.cpp - Compiling with a cache ------------------===//
#include "CacheFolder.h"
#include "pipeline/Compiler.h"

using namespace attune;

namespace {

class CompileWithCache : public CacheFolder {
protected:
  CompiledModule compileIt(const CompileCache *cache, const std::string &extra = "",
                           const std::string &dumpDirectory = "") {
    auto config = parseConfig(
        R"({"name":"core","op":"attention",
      "module":{"num_heads":2,"head_dim":16}})",
        "case", extra.empty() ? std::vector<std::string>() : std::vector<std::string>{extra});
    auto target = cpu::resolveTarget("x86-64-v3");
    CompileOptions options;
    options.cache = cache;
    options.dumpDirectory = dumpDirectory;
    return llvm::cantFail(
        compile(llvm::cantFail(std::move(config)), llvm::cantFail(std::move(target)), options));
  }

  std::vector<std::string> entries() {
    std::vector<std::string> paths;
    std::error_code code;
    for (llvm::sys::fs::directory_iterator it(folder + "/cache", code), end; it != end && !code;
         it.increment(code))
      if (llvm::StringRef(it->path()).contains("llvmcache-"))
        paths.push_back(it->path());
    return paths;
  }
};

TEST_F(CompileWithCache, AHitGivesTheSameBytes) {
  const CompileCache cache = open();
  const CompiledModule without = compileIt(nullptr);
  const CompiledModule miss = compileIt(&cache);
  ASSERT_EQ(entries().size(), 1u);
  const CompiledModule hit = compileIt(&cache);
  for (const CompiledModule *other : {&miss, &hit}) {
    EXPECT_EQ(other->object, without.object);
    EXPECT_EQ(other->kernels, without.kernels);
    EXPECT_EQ(other->packedBytes, without.packedBytes);
    EXPECT_EQ(other->hash, without.hash);
    EXPECT_EQ(toJson(other->config), toJson(without.config));
    EXPECT_EQ(toJson(other->schedule), toJson(without.schedule));
    EXPECT_EQ(other->target.name, "x86-64-v3");
  }
}

TEST_F(CompileWithCache, TheEntryIsWhatAHitGives) {
  const CompileCache cache = open();
  compileIt(&cache);
  const std::string path = entries().at(0);
  const std::string key = path.substr(path.size() - 64);
  ObjectCode marked;
  marked.object.assign({'m', 'a', 'r', 'k'});
  cache.store(key, marked);
  EXPECT_EQ(compileIt(&cache).object, marked.object) << "it compiled once more";
  EXPECT_NE(compileIt(&cache, "forward.is_causal=true").object, marked.object);
  EXPECT_EQ(entries().size(), 2u);
}

TEST_F(CompileWithCache, ADamagedEntryIsCompiledAgain) {
  const CompileCache cache = open();
  const CompiledModule first = compileIt(&cache);
  const std::string path = entries().at(0);
  const std::string good = read(path);
  for (const std::string &bad : {good.substr(0, good.size() / 2), std::string()}) {
    write(path, bad);
    EXPECT_EQ(compileIt(&cache).object, first.object);
    EXPECT_NE(takeWarning().find("is damaged"), std::string::npos);
    EXPECT_EQ(read(path), good) << "the entry was not replaced";
  }
}

TEST_F(CompileWithCache, DumpedPhasesAreCompiled) {
  const CompileCache cache = open();
  compileIt(&cache, "", folder + "/dump");
  EXPECT_TRUE(entries().empty());
  EXPECT_FALSE(read(folder + "/dump/5-llvm.ll").empty());
}

} // namespace
