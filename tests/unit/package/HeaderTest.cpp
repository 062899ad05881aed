//===- HeaderTest.cpp - NAME.h and NAME.json ------------------------------===//
#include "package/Header.h"
#include "FullConfig.h"
#include "attune/attune.h"
#include "package/InterfaceText.h"
#include "package/Metadata.h"
#include "llvm/Support/JSON.h"
#include <gtest/gtest.h>

using namespace attune;

namespace {

/// The lines of a struct's tensors: "query float32 (L, N, 16)", one after the other.
std::string tensorsOf(const std::string &header, const std::string &structName) {
  const size_t begin = header.find("typedef struct " + structName + " {");
  const size_t end = header.find("} " + structName + ";");
  EXPECT_NE(begin, std::string::npos);
  EXPECT_NE(end, std::string::npos);
  std::string list;
  for (size_t at = header.find("attune_tensor ", begin); at < end;
       at = header.find("attune_tensor ", at + 1)) {
    std::string line = header.substr(at, header.find('\n', at) - at);
    line.erase(0, sizeof("attune_tensor ") - 1);
    line.replace(line.find("; /*"), 4, "");
    list += line.substr(0, line.size() - 3) + "\n";
  }
  return list;
}

TEST(Header, ListsEveryTensorWithItsShape) {
  const std::string header = generateHeader(fullConfig(), "x86-64-v3");
  EXPECT_EQ(tensorsOf(header, "full_arguments"),
            "query float32 (L, N, 16)\n"
            "key float32 (S, N, 5)\n"
            "value float32 (S, N, 16)\n"
            "attn_mask float32 (N * 2, L, S)\n"
            "key_padding_mask bool or uint8 (N, S), non-zero forbids\n"
            "out float32 (L, N, 16)\n"
            "weights float32 (N, L, S + 2)\n");
  EXPECT_EQ(tensorsOf(header, "full_parameters"), "q_proj_weight float32 (16, 16)\n"
                                                  "k_proj_weight float32 (16, 5)\n"
                                                  "v_proj_weight float32 (16, 16)\n"
                                                  "in_proj_bias float32 (48)\n"
                                                  "bias_k float32 (1, 1, 16)\n"
                                                  "bias_v float32 (1, 1, 16)\n"
                                                  "out_proj_weight float32 (16, 16)\n"
                                                  "out_proj_bias float32 (16)\n");
}

TEST(Header, NamesTheVersionOfTheInterface) {
  const std::string header = generateHeader(fullConfig(), "x86-64-v3");
  const std::string version = std::to_string(ATTUNE_ABI_VERSION);
  EXPECT_NE(header.find("#if ATTUNE_ABI_VERSION != " + version + "u\n"), std::string::npos);
  EXPECT_NE(header.find("generated for version " + version + " of"), std::string::npos);
}

TEST(Header, LinesFitIntoAHundredColumns) {
  const std::string header = generateHeader(fullConfig(), "x86-64-v3");
  for (size_t begin = 0; begin < header.size();) {
    const size_t end = header.find('\n', begin);
    EXPECT_LE(end - begin, 100u) << header.substr(begin, end - begin);
    begin = end + 1;
  }
}

TEST(Header, SizesInWords) {
  EXPECT_EQ(sizeText({SizeSymbol::Fixed, 64, 0}), "64");
  EXPECT_EQ(sizeText({SizeSymbol::Target, 1, 0}), "L");
  EXPECT_EQ(sizeText({SizeSymbol::Batch, 8, 0}), "N * 8");
  EXPECT_EQ(sizeText({SizeSymbol::Source, 1, 2}), "S + 2");
  EXPECT_EQ(sizeText({SizeSymbol::Source, 3, 2}), "S * 3 + 2");
}

TEST(Metadata, ListsEveryTensorWithItsShape) {
  const std::string text =
      generateMetadata(fullConfig(), cpu::TargetInfo(), CpuSchedule(), 1, 64, {});
  auto parsed = llvm::json::parse(text);
  ASSERT_TRUE(bool(parsed)) << llvm::toString(parsed.takeError());
  const llvm::json::Object &root = *parsed->getAsObject();
  auto show = [&](llvm::StringRef key) {
    std::string list;
    for (const llvm::json::Value &entry : *root.getArray(key)) {
      const llvm::json::Object &tensor = *entry.getAsObject();
      list += (*tensor.getString("name") + " " + *tensor.getString("shape")).str();
      for (const llvm::json::Value &dtype : *tensor.getArray("dtypes"))
        list += " " + dtype.getAsString()->str();
      list += "\n";
    }
    return list;
  };
  EXPECT_EQ(show("inputs"), "query (L, N, 16) float32\n"
                            "key (S, N, 5) float32\n"
                            "value (S, N, 16) float32\n"
                            "attn_mask (N * 2, L, S) float32\n"
                            "key_padding_mask (N, S) bool uint8\n");
  EXPECT_EQ(show("outputs"), "out (L, N, 16) float32\nweights (N, L, S + 2) float32\n");
  EXPECT_EQ(root.getArray("parameters")->size(), 8u);
}

TEST(Metadata, Flops) {
  Config config = fullConfig();
  // N = 2, L = 3, S = 4 and 2 appended keys; 16 columns in all heads.
  const double core = 4.0 * 2 * 3 * (4 + 2) * 16;
  const double projections = 2.0 * 2 * (3 * 16 * 16 + 4 * 5 * 16 + 4 * 16 * 16 + 3 * 16 * 16);
  EXPECT_EQ(forwardFlops(config, 2, 3, 4), core + projections);
  config.forward.isCausal = true;
  EXPECT_EQ(forwardFlops(config, 2, 3, 4), 4.0 * 2 * 3 * (4 / 2 + 2) * 16 + projections);
}

} // namespace
