//===- TestConfigurations.h - The configurations of random tests -*- C++ -*-===//
//
// One table for all tests that draw problems. Together its rows have every feature, and every two
// features that go together (configurations_test.cpp).
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TESTS_CONFORMANCE_TESTCONFIGURATIONS_H
#define ATTUNE_TESTS_CONFORMANCE_TESTCONFIGURATIONS_H

#include "RandomProblem.h"
#include "Schedules.h"
#include <ostream>
#include <span>

namespace attune::conformance {

struct TestConfiguration {
  const char *name;
  const char *json;
  const char *target = "host";
  Tiles tiles = Tiles::Default;
  int cases = 45;
  SizeLimits limits = {600, 2e7};
};

std::ostream &operator<<(std::ostream &stream, const TestConfiguration &configuration);

std::span<const TestConfiguration> testConfigurations();

/// The seeds of a run: consecutive numbers, for each configuration others. ATTUNE_TEST_SEED names
/// the only one, or the first of ATTUNE_TEST_CASES. Without it ATTUNE_TEST_CASES replaces `cases`.
struct Seeds {
  uint64_t first, count;
};
Seeds seedsFor(const TestConfiguration &configuration, int cases);

/// The command that runs the current test with one seed.
std::string repeatCommand(uint64_t seed);

} // namespace attune::conformance

#endif
