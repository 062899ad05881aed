//===- ExplainTest.cpp - Decisions in words -------------------------------===//
#include "pipeline/Explain.h"

#include <gmock/gmock.h>

namespace attune {
namespace {

using testing::HasSubstr;

/// The sections of a configuration as one text, "title: name: text" a line.
std::string explained(const std::string &json, std::optional<ExplainedCall> call = {}) {
  auto config = parseConfig(json, "test");
  if (!config)
    return llvm::toString(config.takeError());
  auto target = cpu::resolveTarget("x86-64-v3");
  if (!target)
    return llvm::toString(target.takeError());
  auto sections = explain(*config, *target, {}, call);
  if (!sections)
    return llvm::toString(sections.takeError());
  std::string text;
  for (const ExplainedSection &section : *sections)
    for (const ExplainedItem &item : section.items)
      text += section.title + ": " + item.name + ": " + item.text + "\n";
  return text;
}

TEST(Explain, SaysWhatIsFused) {
  std::string self = explained(R"({"module": {"embed_dim": 64, "num_heads": 2},
      "forward": {"inputs": "self", "need_weights": false}})");
  EXPECT_THAT(self, HasSubstr("projections: query, key, value: 192 columns from query, 3 "
                              "projections of one input fused into one product"));
  EXPECT_THAT(self, HasSubstr("projections: out: 64 columns from the merged heads"));
  std::string separate = explained(R"({"module": {"embed_dim": 64, "num_heads": 2},
      "forward": {"need_weights": false}})");
  EXPECT_THAT(separate, HasSubstr("projections: key: 64 columns from key\n"));
}

TEST(Explain, SaysHowWorkIsHandedOut) {
  std::string text = explained(R"({"module": {"embed_dim": 64, "num_heads": 2}})");
  EXPECT_THAT(text, HasSubstr("depth 64, weights in panels of 16\n"));
  EXPECT_THAT(text,
              HasSubstr("schedule: workers: take 1 tile(s) at a time; whole heads where there "
                        "are 8 or more for each further worker\n"));
}

TEST(Explain, SaysWhichTilesArePassedOver) {
  std::string text = explained(
      R"({"op": "attention", "module": {"num_heads": 2, "head_dim": 64},
          "forward": {"is_causal": true, "attn_mask": "bool_2d", "key_padding_mask": "float"}})",
      ExplainedCall{{1, 1024, 1024}, 1});
  EXPECT_THAT(text, HasSubstr("keys: j <= i: a bound of the kv loops"));
  EXPECT_THAT(text, HasSubstr("keys: attn_mask: looked at tile by tile"));
  EXPECT_THAT(text, HasSubstr("keys: key_padding_mask: the first visible key and the end"));
}

/// 4 x 4 tiles of one size: ten on and below the diagonal; the four on it look at the bound.
TEST(Explain, CountsVisitedTiles) {
  std::string schedule = explained(R"({"op": "attention",
      "module": {"num_heads": 1, "head_dim": 8}})");
  ASSERT_THAT(schedule, HasSubstr("schedule: tiles: "));
  const int query = std::stoi(schedule.substr(schedule.find("schedule: tiles: ") + 17));
  std::string text = explained(R"({"op": "attention", "module": {"num_heads": 1, "head_dim": 8},
      "forward": {"is_causal": true}})",
                               ExplainedCall{{1, query, 0}, 1});
  EXPECT_THAT(text, HasSubstr("tiles of a head: 0, of which 0 are visited"));
}

TEST(Explain, StatesWorkOfACall) {
  const ExplainedCall call{{2, 10, 20}, 1};
  std::string text =
      explained(R"({"op": "attention", "module": {"num_heads": 3, "head_dim": 8}})", call);
  EXPECT_THAT(text, HasSubstr("call: sizes: N 2, L 10, S 20"));
  EXPECT_THAT(text, HasSubstr("call: FLOPs: " + std::to_string(4 * 2 * 3 * 10 * 20 * 8)));
  EXPECT_THAT(text, HasSubstr("call: inputs: " + std::to_string(2 * 3 * (10 + 20 + 20) * 8 * 4)));
  EXPECT_THAT(text, HasSubstr("call: outputs: " + std::to_string(2 * 3 * 10 * 8 * 4)));
  EXPECT_THAT(text, testing::ContainsRegex("call: workspace: [1-9][0-9]* bytes with 1 worker"));
}

TEST(Explain, ListsKernels) {
  std::string text = explained(R"({"op": "attention", "module": {"num_heads": 1, "head_dim": 8},
      "forward": {"need_weights": true}})");
  EXPECT_THAT(text, HasSubstr("scores into memory, depth 8"));
  EXPECT_THAT(text, HasSubstr("stores attention weights"));
  EXPECT_THAT(text, HasSubstr("keys: weights: asked for"));
}

} // namespace
} // namespace attune
