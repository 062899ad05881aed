//===- CompileKeyTest.cpp - What decides the code of a configuration ------===//
#include "package/CompileKey.h"
#include "FullConfig.h"
#include "llvm/Support/FormatVariadic.h"
#include <functional>
#include <gtest/gtest.h>
#include <set>

using namespace attune;

namespace {

struct Compilation {
  Config config = fullConfig();
  CpuSchedule schedule;
  cpu::TargetInfo target;
  std::string versions = compilerVersions(), build = runningBuild();

  std::string key() const {
    return cacheKey(describeCompilation(config, schedule, target), versions, build);
  }
  uint64_t hash() const { return contentHash(config, schedule, target); }
};

using Change = std::function<void(Compilation &)>;

const Change contentChanges[] = {
    [](Compilation &c) { c.config.name = "other"; },
    [](Compilation &c) { c.config.op = Op::Attention; },
    [](Compilation &c) { c.config.score = "s + 1"; },
    [](Compilation &c) { c.config.fullyMaskedRows = FullyMaskedRows::Nan; },
    [](Compilation &c) { c.config.module.embedDim = 32; },
    [](Compilation &c) { c.config.module.numHeads = 4; },
    [](Compilation &c) { c.config.module.bias = false; },
    [](Compilation &c) { c.config.module.addBiasKv = false; },
    [](Compilation &c) { c.config.module.addZeroAttn = false; },
    [](Compilation &c) { c.config.module.batchFirst = true; },
    [](Compilation &c) { c.config.module.kdim = 6; },
    [](Compilation &c) { c.config.module.vdim = 6; },
    [](Compilation &c) { c.config.forward.batched = false; },
    [](Compilation &c) { c.config.forward.batch = 3; },
    [](Compilation &c) { c.config.forward.targetLength = 3; },
    [](Compilation &c) { c.config.forward.sourceLength = 3; },
    [](Compilation &c) { c.config.forward.inputs = Inputs::SharedKeyValue; },
    [](Compilation &c) { c.config.forward.attnMask = AttnMask::Bool3d; },
    [](Compilation &c) { c.config.forward.keyPaddingMask = KeyPaddingMask::Float; },
    [](Compilation &c) { c.config.forward.isCausal = true; },
    [](Compilation &c) { c.config.forward.needWeights = false; },
    [](Compilation &c) { c.config.forward.averageAttnWeights = false; },
    [](Compilation &c) { c.schedule.queryTile = 12; },
    [](Compilation &c) { c.schedule.kvTile = 64; },
    [](Compilation &c) { c.schedule.scores.rows = 6; },
    [](Compilation &c) { c.schedule.packValue = PackValue::AsIs; },
    [](Compilation &c) { c.schedule.exp2Degree = 5; },
    [](Compilation &c) { c.schedule.weightPanel = 128; },
    [](Compilation &c) { c.schedule.headsPerWorker = 1; },
    [](Compilation &c) { c.schedule.fewRows = 3; },
    [](Compilation &c) { c.schedule.splitKeys = 4096; },
    [](Compilation &c) { c.target.name = "znver4"; },
    [](Compilation &c) { c.target.triple = "aarch64"; },
    [](Compilation &c) { c.target.cpu = "znver5"; },
    [](Compilation &c) { c.target.instructionSet = "znver5"; },
    [](Compilation &c) { c.target.features = "+avx2"; },
    [](Compilation &c) { c.target.kernels.arch = cpu::KernelTarget::Arch::AArch64; },
    [](Compilation &c) { c.target.kernels.sse41 = true; },
    [](Compilation &c) { c.target.kernels.avx = true; },
    [](Compilation &c) { c.target.kernels.f16c = true; },
    [](Compilation &c) { c.target.kernels.fma = true; },
    [](Compilation &c) { c.target.kernels.avx2 = true; },
    [](Compilation &c) { c.target.kernels.avx512 = true; },
    [](Compilation &c) { c.target.kernels.vectorLanes = 16; },
    [](Compilation &c) { c.target.requiredFeatures = 1; },
    [](Compilation &c) { c.target.traits.vectorLanes = 16; },
    [](Compilation &c) { c.target.traits.vectorRegisters = 32; },
    [](Compilation &c) { c.target.traits.l1Bytes = 1; },
    [](Compilation &c) { c.target.traits.l2Bytes = 1; }};
const Change compilerChanges[] = {[](Compilation &c) { c.versions += "."; },
                                  [](Compilation &c) { c.build += "."; }};

TEST(CompileKey, EveryIngredientChangesTheKey) {
  std::set<std::string> keys = {Compilation().key()};
  for (llvm::ArrayRef<Change> changes :
       {llvm::ArrayRef(contentChanges), llvm::ArrayRef(compilerChanges)})
    for (size_t k = 0; k < changes.size(); ++k) {
      Compilation changed;
      changes[k](changed);
      EXPECT_TRUE(keys.insert(changed.key()).second) << "change " << k << " gives a known key";
    }
}

TEST(CompileKey, EveryIngredientButTheBuildChangesTheHash) {
  std::set<uint64_t> hashes = {Compilation().hash()};
  for (size_t k = 0; k < std::size(contentChanges); ++k) {
    Compilation changed;
    contentChanges[k](changed);
    EXPECT_TRUE(hashes.insert(changed.hash()).second) << "change " << k << " gives a known hash";
  }
}

TEST(CompileKey, TextDoesNotMoveBetweenIngredients) {
  EXPECT_NE(cacheKey("ab", "c", "d"), cacheKey("a", "bc", "d"));
  EXPECT_NE(cacheKey("a", "bc", "d"), cacheKey("a", "b", "cd"));
}

TEST(CompileKey, EqualConfigurationsShareAKey) {
  Compilation implied, given;
  given.config.module.vdim = given.config.module.embedDim; // the default
  EXPECT_EQ(implied.key(), given.key());
  EXPECT_EQ(implied.key().size(), 64u);
}

TEST(CompileKey, WhereAScheduleComesFromDoesNotMatter) {
  Compilation measured;
  measured.schedule.provenance = {"tuned.json", "a machine", "2026-01-31", "99 GFLOP/s"};
  EXPECT_EQ(measured.hash(), Compilation().hash());
  EXPECT_EQ(measured.key(), Compilation().key());
}

TEST(CompileKey, VersionsAndBuild) {
  EXPECT_TRUE(llvm::StringRef(compilerVersions()).starts_with("attune "));
  for (const char *part : {"interface", "LLVM 22.", "Halide 21."})
    EXPECT_NE(compilerVersions().find(part), std::string::npos) << part;
  // Program and libraries, the same at each call.
  EXPECT_NE(runningBuild().find("/proc/self/exe "), std::string::npos);
  EXPECT_NE(runningBuild().find("libLLVM"), std::string::npos);
  EXPECT_EQ(runningBuild(), runningBuild());
}

} // namespace
