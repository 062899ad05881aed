//===- TestConfigurations.cpp - The configurations of random tests --------===//
#include "TestConfigurations.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

namespace attune::conformance {

namespace {
const TestConfiguration configurations[] = {
#include "test_configurations.inc"
};

std::optional<uint64_t> numberFrom(const char *variable) {
  const char *text = std::getenv(variable);
  if (!text || !*text)
    return std::nullopt;
  return std::strtoull(text, nullptr, 0);
}

/// Stays the same when rows of the table move.
uint64_t hash(const std::string &name) {
  uint64_t value = 0;
  for (char character : name)
    value = (value * 131 + static_cast<unsigned char>(character)) % 1000003;
  return value;
}
} // namespace

std::ostream &operator<<(std::ostream &stream, const TestConfiguration &configuration) {
  return stream << configuration.name;
}

std::span<const TestConfiguration> testConfigurations() { return configurations; }

Seeds seedsFor(const TestConfiguration &configuration, int cases) {
  const std::optional<uint64_t> seed = numberFrom("ATTUNE_TEST_SEED");
  const std::optional<uint64_t> wanted = numberFrom("ATTUNE_TEST_CASES");
  if (seed)
    return {*seed, wanted.value_or(1)};
  return {hash(configuration.name) * 1000000, wanted.value_or(cases)};
}

std::string repeatCommand(uint64_t seed) {
  const testing::TestInfo &test = *testing::UnitTest::GetInstance()->current_test_info();
  return "ATTUNE_TEST_SEED=" + std::to_string(seed) + " " +
         std::filesystem::read_symlink("/proc/self/exe").string() +
         " --gtest_filter=" + test.test_suite_name() + "." + test.name();
}

} // namespace attune::conformance
