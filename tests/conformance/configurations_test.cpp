//===- configurations_test.cpp - What the random tests cover --------------===//
//
// The table of configurations is legal, long enough, and has every two features together.
//
//===----------------------------------------------------------------------===//
#include "ScoreFunctions.h"
#include "TestConfigurations.h"

#include <array>
#include <gtest/gtest.h>
#include <set>

using namespace attune;
using namespace attune::conformance;

namespace {
enum Feature {
  OpKind,
  Layout,
  InputsKind,
  AttnMaskKind,
  PaddingKind,
  Causal,
  Weights,
  Appended,
  Projection,
  Bias,
  MaskedRows,
  Score,
  Sizes,
  TileKind,
  Target,
  FeatureCount
};

/// The values of each feature, in the order of the enumeration.
const std::vector<std::string> values[FeatureCount] = {
    {"module", "core"},
    {"batch first", "batch second", "unbatched"},
    {"separate", "shared key and value", "self"},
    {"no mask", "bool_2d", "bool_3d", "float_2d", "float_3d"},
    {"no padding", "bool padding", "float padding"},
    {"not causal", "causal"},
    {"no weights", "averaged weights", "weights per head"},
    {"nothing appended", "add_bias_kv", "add_zero_attn", "both appended"},
    {"packed projection", "separate projection"},
    {"bias", "no bias"},
    {"masked rows zero", "masked rows nan"},
    {"no score", "score"},
    {"run-time sizes", "fixed sizes"},
    {"default tiles", "minimal tiles", "small tiles", "odd tiles", "wide tiles", "tall tiles"},
    {"host", "AVX2", "SSE"}};

/// Whose code is that of a host with vectors of 512 bits, but for products of bfloat16.
const std::set<std::string> wideTargets = {"host", "cooperlake", "sapphirerapids"};

/// Index into `values` for every feature.
using Features = std::array<int, FeatureCount>;

Features featuresOf(const TestConfiguration &configuration) {
  const Config config = configOf(configuration.json);
  const ModuleConfig &module = config.module;
  const ForwardConfig &forward = config.forward;
  const std::string target = configuration.target;
  Features features = {};
  features[OpKind] = config.op == Op::Attention;
  features[Layout] = batchDimension(config) == -1 ? 2 : batchDimension(config);
  features[InputsKind] = static_cast<int>(forward.inputs);
  features[AttnMaskKind] = static_cast<int>(forward.attnMask);
  features[PaddingKind] = static_cast<int>(forward.keyPaddingMask);
  features[Causal] = forward.isCausal;
  features[Weights] = !forward.needWeights ? 0 : forward.averageAttnWeights ? 1 : 2;
  features[Appended] = module.addBiasKv + 2 * module.addZeroAttn;
  features[Projection] = config.op == Op::MultiheadAttention && !hasPackedProjection(config);
  features[Bias] = config.op == Op::MultiheadAttention && !module.bias;
  features[MaskedRows] = config.fullyMaskedRows == FullyMaskedRows::Nan;
  features[Score] = config.score.has_value();
  features[Sizes] = forward.batch || forward.targetLength || forward.sourceLength;
  features[TileKind] = static_cast<int>(configuration.tiles);
  features[Target] = wideTargets.contains(target) ? 0 : target == "x86-64-v3" ? 1 : 2;
  return features;
}

/// Some features belong to modules; separate projections of one tensor cannot be.
bool canMeet(Feature a, int valueOfA, Feature b, int valueOfB) {
  const bool ofModules = (b == Layout && valueOfB == 1) ||
                         ((b == Appended || b == Projection || b == Bias) && valueOfB != 0);
  if (a == OpKind && valueOfA == 1)
    return !ofModules;
  return !(a == InputsKind && valueOfA == 2 && b == Projection && valueOfB == 1);
}
} // namespace

TEST(TestConfigurations, HaveEveryTwoFeaturesTogether) {
  std::vector<Features> table;
  for (const TestConfiguration &configuration : testConfigurations())
    table.push_back(featuresOf(configuration));
  for (int a = 0; a < FeatureCount; ++a)
    for (int b = a + 1; b < FeatureCount; ++b)
      for (size_t x = 0; x < values[a].size(); ++x)
        for (size_t y = 0; y < values[b].size(); ++y) {
          const int valueOfA = static_cast<int>(x), valueOfB = static_cast<int>(y);
          const bool found = std::any_of(table.begin(), table.end(), [&](const Features &row) {
            return row[a] == valueOfA && row[b] == valueOfB;
          });
          EXPECT_EQ(found,
                    canMeet(static_cast<Feature>(a), valueOfA, static_cast<Feature>(b), valueOfB))
              << values[a][x] << " with " << values[b][y];
        }
}

TEST(TestConfigurations, HaveTwoThousandCases) {
  int cases = 0;
  std::set<std::string> names;
  for (const TestConfiguration &configuration : testConfigurations()) {
    cases += configuration.cases;
    EXPECT_TRUE(names.insert(configuration.name).second) << configuration.name;
  }
  EXPECT_GE(cases, 2000);
}

TEST(TestConfigurations, HaveScoresThatTheReferenceKnows) {
  std::set<std::string> expressions;
  for (const TestConfiguration &configuration : testConfigurations())
    if (const std::optional<std::string> score = configOf(configuration.json).score) {
      EXPECT_NO_THROW(scoreFunction(*score)) << configuration.name;
      expressions.insert(*score);
    }
  EXPECT_GE(expressions.size(), 10u);
}

TEST(TestSchedules, AreLegal) {
  for (const TestConfiguration &configuration : testConfigurations()) {
    const Config config = configOf(configuration.json);
    const CpuTraits traits = targetFor(config, targetOf(configuration.target)).traits;
    const ScheduleProblem problem = scheduleProblem(config);
    EXPECT_EQ(checkSchedule(scheduleOf(configuration.tiles, problem, traits), problem, traits), "")
        << configuration.name;
  }
}
