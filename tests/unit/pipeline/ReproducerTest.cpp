//===- ReproducerTest.cpp - What a crash leaves behind --------------------===//
#include "pipeline/Reproducer.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>

namespace attune {
namespace {

namespace fs = std::filesystem;

std::string contentOf(const fs::path &path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// An empty folder that goes with the test.
class ReproducerDeathTest : public testing::Test {
protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "attune-reproducer-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
    setenv("ATTUNE_CRASH_DIR", folder.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("ATTUNE_CRASH_DIR");
    fs::remove_all(folder);
  }

  fs::path folder;
};

Config someConfig() {
  Config config;
  config.name = "crashing";
  config.module.embedDim = 32;
  config.module.numHeads = 4;
  config.module.headDim = 8;
  return config;
}

void crash(const Config &config) {
  Reproducer::watchForCrashes();
  auto target = cpu::resolveTarget("x86-64-v3");
  if (!target)
    std::exit(0);
  const CpuSchedule schedule = defaultSchedule({true, 32, 8}, target->traits);
  Reproducer reproducer(config, schedule, *target);
  reproducer.enter(Phase::Tiles);
  std::abort();
}

TEST_F(ReproducerDeathTest, NamesThePhaseAndKeepsConfigurationAndSchedule) {
  const Config config = someConfig();
  EXPECT_DEATH(crash(config), "crashed in phase tiles(.|\n)*attune compile .*config.json "
                              "--schedule .*schedule.json --target x86-64-v3");
  std::vector<fs::path> left(fs::directory_iterator(folder), {});
  ASSERT_EQ(left.size(), 1u);
  EXPECT_THAT(left[0].filename().string(), testing::StartsWith("attune-crash-"));
  llvm::Expected<Config> read = loadConfig((left[0] / "config.json").string());
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(toJson(*read), toJson(config));
  CpuSchedule schedule;
  std::string error;
  EXPECT_TRUE(parseSchedule(contentOf(left[0] / "schedule.json"), "", schedule, error)) << error;
}

TEST_F(ReproducerDeathTest, SaysSoWhereNothingCanBeWritten) {
  setenv("ATTUNE_CRASH_DIR", (folder / "missing").c_str(), 1);
  EXPECT_DEATH(crash(someConfig()), "no reproducer could be written to");
}

TEST_F(ReproducerDeathTest, ACrashOutsideACompilationLeavesNothing) {
  EXPECT_DEATH(
      {
        auto target = cpu::resolveTarget("x86-64-v3");
        if (!target)
          std::exit(0);
        {
          Reproducer::watchForCrashes();
          Reproducer reproducer(someConfig(), CpuSchedule(), *target);
        }
        std::abort();
      },
      "");
  EXPECT_TRUE(fs::is_empty(folder));
}

/// The signals of an application that embeds the compiler are its own.
TEST_F(ReproducerDeathTest, NothingIsInstalledUnasked) {
  EXPECT_EXIT(
      {
        auto target = cpu::resolveTarget("x86-64-v3");
        if (!target)
          std::exit(0);
        Reproducer reproducer(someConfig(), CpuSchedule(), *target);
        std::abort();
      },
      testing::KilledBySignal(SIGABRT), "");
  EXPECT_TRUE(fs::is_empty(folder));
}

} // namespace
} // namespace attune
