//===- ConfigErrorTest.cpp - One file a mistake: tests/error --------------===//
#include "frontend/Config.h"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>

using namespace attune;

namespace {

const std::filesystem::path folder = ATTUNE_ERROR_TESTS;

std::string contents(const std::filesystem::path &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The rows of expected.tsv: file, message; further columns are further lines of the message.
std::map<std::string, std::string> expectedMessages() {
  std::map<std::string, std::string> rows;
  std::ifstream stream(folder / "expected.tsv");
  for (std::string line; std::getline(stream, line);) {
    size_t tab = line.find('\t');
    EXPECT_NE(tab, std::string::npos) << "no tab: " << line;
    std::string message = line.substr(tab + 1);
    std::replace(message.begin(), message.end(), '\t', '\n');
    EXPECT_TRUE(rows.emplace(line.substr(0, tab), message).second) << "two rows: " << line;
  }
  return rows;
}

TEST(ConfigError, EveryMistakeGivesItsMessage) {
  std::map<std::string, std::string> rows = expectedMessages();
  EXPECT_GT(rows.size(), 50u);
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json")
      continue;
    std::string name = entry.path().filename().string();
    auto row = rows.find(name);
    if (row == rows.end()) {
      ADD_FAILURE() << name << " has no row in expected.tsv";
      continue;
    }
    llvm::Expected<Config> config = parseConfig(contents(entry.path()), name);
    if (config)
      ADD_FAILURE() << name << " was accepted";
    else
      EXPECT_EQ(llvm::toString(config.takeError()), row->second);
    rows.erase(row);
  }
  for (const auto &[name, message] : rows)
    ADD_FAILURE() << name << " has a row in expected.tsv, but there is no such file";
}

} // namespace
