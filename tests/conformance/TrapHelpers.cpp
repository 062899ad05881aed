//===- TrapHelpers.cpp - Small calls with results known by hand -----------===//
#include "TrapHelpers.h"

#include "Reference.h"
#include "Schedules.h"
#include "Tolerance.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace attune::conformance {

TestModule compiledSmall(const std::string &json) {
  const Config config = configOf(json);
  const cpu::TargetInfo target = targetFor(config, targetOf("host"));
  return TestModule(config, target,
                    scheduleOf(Tiles::Small, scheduleProblem(config), target.traits));
}

Results<float> resultsOf(const TestModule &module, const Problem &problem) {
  const attune::Context context(2);
  Outcome outcome = module.run(context, problem);
  EXPECT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
  EXPECT_EQ(outcome.damage, "");
  return std::move(outcome);
}

Results<double> expectReference(const TestModule &module, const Problem &problem) {
  Results<double> exact = reference<double>(problem);
  EXPECT_EQ(compare(resultsOf(module, problem), exact, reference<float>(problem)), "")
      << module.describe();
  return exact;
}

Problem identityProblem(const TestModule &module, CallSizes sizes) {
  Problem problem = emptyProblem(module.config(), sizes);
  for (const char *name : {"in_proj_weight", "out_proj.weight"}) {
    HostTensor &weight = *problem.parameter(name);
    const int64_t width = weight.sizes[1];
    for (int64_t row = 0; row < weight.sizes[0]; ++row)
      weight.values[row * width + row % width] = 1;
  }
  return problem;
}

void expectNear(const std::vector<float> &found, const std::vector<double> &expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t k = 0; k < found.size(); ++k)
    EXPECT_NEAR(found[k], expected[k], 1e-6 * std::max(1.0, std::abs(expected[k])))
        << "element " << k;
}

std::vector<double> repeated(size_t count, double value) {
  return std::vector<double>(count, value);
}

bool hasNan(const std::vector<float> &values) {
  return std::any_of(values.begin(), values.end(), [](float value) { return std::isnan(value); });
}

bool isAllNan(const std::vector<float> &values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isnan(value); });
}

} // namespace attune::conformance
