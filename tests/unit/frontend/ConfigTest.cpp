//===- ConfigTest.cpp - Reading, overriding, checking, writing ------------===//
#include "frontend/Config.h"
#include "frontend/ConfigKeys.h"
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <set>

using namespace attune;

namespace {

const char moduleText[] = R"({
  "name": "mha",
  "fully_masked_rows": "nan",
  "module": {
    "embed_dim": 768, "num_heads": 12, "dropout": 0.1, "bias": false, "batch_first": true
  },
  "forward": {
    "batch": 2, "target_length": 0, "inputs": "self", "attn_mask": "float_2d",
    "is_causal": true, "need_weights": false
  }
})";

const char coreText[] = R"({
  "op": "attention",
  "module": {"num_heads": 2, "head_dim": 80, "scale": 0.1},
  "forward": {"batched": false, "source_length": 5}
})";

Config parse(llvm::StringRef text, llvm::ArrayRef<std::string> overrides = {}) {
  llvm::Expected<Config> config = parseConfig(text, "c.json", overrides);
  if (config)
    return *config;
  ADD_FAILURE() << llvm::toString(config.takeError());
  return {};
}

std::string errorOf(llvm::Expected<Config> config) {
  return config ? "accepted" : llvm::toString(config.takeError());
}

std::string errorOf(llvm::Error error) {
  return error ? llvm::toString(std::move(error)) : "accepted";
}

TEST(Config, ReadsAModule) {
  Config config = parse(moduleText);
  EXPECT_EQ(config.name, "mha");
  EXPECT_EQ(config.op, Op::MultiheadAttention);
  EXPECT_EQ(config.fullyMaskedRows, FullyMaskedRows::Nan);
  EXPECT_EQ(config.module.embedDim, 768);
  EXPECT_EQ(config.module.headDim, 64);
  EXPECT_EQ(config.module.dropout, 0.1);
  EXPECT_FALSE(config.module.bias);
  EXPECT_TRUE(config.module.batchFirst);
  EXPECT_FALSE(config.module.kdim.has_value());
  EXPECT_EQ(config.scale(), 0.125);
  EXPECT_EQ(config.forward.batch, 2);
  EXPECT_EQ(config.forward.targetLength, 0);
  EXPECT_EQ(config.forward.sourceLength, 0) << "self-attention has one length";
  EXPECT_EQ(config.forward.inputs, Inputs::Self);
  EXPECT_EQ(config.forward.attnMask, AttnMask::Float2d);
  EXPECT_TRUE(config.forward.isCausal);
  EXPECT_FALSE(config.forward.needWeights);
}

TEST(Config, ReadsACore) {
  Config config = parse(coreText);
  EXPECT_EQ(config.op, Op::Attention);
  EXPECT_EQ(config.module.headDim, 80);
  EXPECT_EQ(config.scale(), 0.1);
  EXPECT_FALSE(config.forward.batched);
  EXPECT_FALSE(config.forward.needWeights) << "the default of op attention";
  EXPECT_FALSE(config.forward.targetLength.has_value());
  EXPECT_EQ(config.forward.sourceLength, 5);
}

TEST(Config, AcceptsWhatDoesNoHarm) {
  Config config = parse(moduleText, {"module.kdim=768", "module.vdim=768"});
  EXPECT_EQ(config.module.kdim, 768);
  EXPECT_EQ(toJson(config), toJson(parse(moduleText)));
  parse(moduleText, {"forward.inputs=shared_key_value"});
  // PyTorch takes the argument and ignores it.
  parse(moduleText, {"forward.average_attn_weights=false"});
  parse(moduleText, {"module.dropout=1"});
  // The name is a prefix, so a keyword does no harm.
  parse(moduleText, {"name=case"});
}

TEST(Config, AcceptsTheWholeContract) {
  for (const char *override :
       {"module.add_bias_kv=true", "module.add_zero_attn=true", "module.kdim=5",
        "module.vdim=1048576", "forward.attn_mask=bool_3d", "forward.attn_mask=float_3d",
        "forward.key_padding_mask=bool", "forward.key_padding_mask=float",
        "forward.need_weights=true", "score=s + 1"})
    parse(moduleText, {"forward.inputs=separate", override});
  for (const char *override : {"forward.need_weights=true", "forward.key_padding_mask=float",
                               "forward.attn_mask=bool_3d", "score=where(j > i, -inf, s)"})
    parse(coreText, {override});
}

TEST(Config, SizesOfMasksAndWeightsAreLimited) {
  // 2^14 queries by 2^31 - 1 keys fit, with 2^2 heads or in 2^2 batches they do not.
  const std::vector<std::string> sizes = {"forward.inputs=separate",
                                          "module.embed_dim=4",
                                          "module.num_heads=4",
                                          "forward.target_length=16384",
                                          "forward.source_length=2147483647",
                                          "forward.batch=1"};
  auto accepts = [&](std::vector<std::string> more) {
    std::vector<std::string> all = sizes;
    all.insert(all.end(), more.begin(), more.end());
    return bool(llvm::expectedToOptional(parseConfig(moduleText, "c.json", all)));
  };
  EXPECT_TRUE(accepts({}));
  EXPECT_FALSE(accepts({"forward.attn_mask=float_3d"}));
  EXPECT_TRUE(accepts({"forward.need_weights=true"})) << "averaged";
  EXPECT_FALSE(accepts({"forward.need_weights=true", "forward.average_attn_weights=false"}));
  EXPECT_FALSE(accepts({"forward.need_weights=true", "forward.batch=4"}));
  EXPECT_TRUE(accepts({"forward.batch=4"}));
  // One more column goes beyond 2^46.
  EXPECT_TRUE(accepts({"forward.need_weights=true", "forward.target_length=32768"}));
  EXPECT_FALSE(accepts({"forward.need_weights=true", "forward.target_length=32768",
                        "module.add_bias_kv=true", "module.add_zero_attn=true"}));
}

TEST(Config, OverridesReplaceKeysOfTheFile) {
  Config config = parse(moduleText, {"forward.is_causal=false", "name=other", "name=last",
                                     "forward.batch=null", "forward.attn_mask=\"none\"",
                                     "forward.inputs=separate", "forward.source_length=7"});
  EXPECT_FALSE(config.forward.isCausal);
  EXPECT_EQ(config.name, "last");
  EXPECT_FALSE(config.forward.batch.has_value());
  EXPECT_EQ(config.forward.attnMask, AttnMask::None);
  EXPECT_EQ(config.forward.sourceLength, 7);
  // A value of the file that would be wrong does not count any more.
  EXPECT_EQ(parse(R"({"op": "attention", "module": {"num_heads": "x", "head_dim": 4}})",
                  {"module.num_heads=3"})
                .module.numHeads,
            3);
}

TEST(Config, OverrideErrorsNameTheOption) {
  const std::pair<std::string, std::string> table[] = {
      {"forward.is_casual=true",
       "--set forward.is_casual: unknown key; did you mean \"is_causal\"?"},
      {"forward.is_causal=yes",
       "--set forward.is_causal: found \"yes\" (a string), expected true or false"},
      {"forward.is_causal", "--set forward.is_causal: expected KEY=VALUE, for example "
                            "forward.is_causal=true"},
      {"=1", "--set =1: expected KEY=VALUE, for example forward.is_causal=true"},
      {"module.num_heads=5",
       "--set module.num_heads: found 5, expected a divisor of module.embed_dim (768)"},
      {"score=s + q", "--set score: unknown name \"q\"; expected one of s, b, h, i, j, L, S, H, D, "
                      "inf\n  s + q\n      ^"},
      {"module={}",
       "--set module: found an object, expected one key of it: --set module.embed_dim=..."},
      {"forward.batch=[1]",
       "--set forward.batch: found an array, expected an integer from 0 to 2147483647 or null"},
      {"forward.batch=", "--set forward.batch: found \"\" (a string), expected an integer from 0 "
                         "to 2147483647 or null"},
      {"module.scale=1", "--set module.scale: belongs to op \"attention\"; with op "
                         "\"multihead_attention\" leave it out"},
      {"a\x1b[1m=1",
       "--set a\\u001b[1m: unknown key; expected one of \"name\", \"op\", \"dtype\", "
       "\"compute_dtype\", \"score\", \"fully_masked_rows\", \"module\", \"forward\""},
  };
  for (const auto &[text, message] : table)
    EXPECT_EQ(errorOf(parseConfig(moduleText, "c.json", {text})), message);
  EXPECT_EQ(errorOf(parseConfig(moduleText, "c.json", {"op=attention"})),
            "c.json:5: module.embed_dim: belongs to op \"multihead_attention\"; with op "
            "\"attention\" leave it out");
}

TEST(Config, CanonicalTextIsAFixedPoint) {
  for (const char *text : {moduleText, coreText}) {
    Config config = parse(text);
    std::string canonical = toJson(config);
    EXPECT_EQ(toJson(parse(canonical)), canonical);
    EXPECT_EQ(parse(canonical).scale(), config.scale());
  }
  EXPECT_EQ(toJson(parse(coreText)), R"({
  "name": "attention",
  "op": "attention",
  "dtype": "float32",
  "compute_dtype": "float32",
  "fully_masked_rows": "zero",
  "module": {
    "num_heads": 2,
    "dropout": 0.0,
    "head_dim": 80,
    "scale": 0.1
  },
  "forward": {
    "batched": false,
    "batch": null,
    "target_length": null,
    "source_length": 5,
    "inputs": "separate",
    "attn_mask": "none",
    "key_padding_mask": "none",
    "is_causal": false,
    "need_weights": false,
    "average_attn_weights": true
  }
}
)");
}

TEST(Config, ProductsTakeBFloat16WhereTensorsDoOrWhereAskedFor) {
  const auto productDtype = [](const std::vector<std::string> &changes) {
    return parse(coreText, changes).productDtype();
  };
  EXPECT_EQ(productDtype({}), DType::Float32);
  EXPECT_EQ(productDtype({"dtype=float16"}), DType::Float32);
  EXPECT_EQ(productDtype({"dtype=bfloat16"}), DType::BFloat16);
  EXPECT_EQ(productDtype({"dtype=bfloat16", "compute_dtype=float32"}), DType::Float32);
  EXPECT_EQ(productDtype({"compute_dtype=bfloat16"}), DType::BFloat16);
  EXPECT_EQ(toJson(parse(coreText, {"dtype=bfloat16"})),
            toJson(parse(coreText, {"dtype=bfloat16", "compute_dtype=bfloat16"})));
}

TEST(Config, CanonicalTextKeepsTheScore) {
  Config config = parse(coreText, {"score=s  + 0.1*(j - i)"});
  EXPECT_EQ(config.score, "s  + 0.1*(j - i)");
  std::string canonical = toJson(config);
  EXPECT_NE(canonical.find("\"score\": \"s  + 0.1*(j - i)\""), std::string::npos) << canonical;
  EXPECT_EQ(toJson(parse(canonical)), canonical);
}

TEST(Config, CanonicalTextIgnoresOrderAndWhatHasNoEffect) {
  const char reordered[] = R"({"module": {"scale": 1e-1, "head_dim": 80, "num_heads": 2},
    "forward": {"source_length": 5, "batched": false, "average_attn_weights": false},
    "op": "attention"})";
  EXPECT_EQ(toJson(parse(reordered)), toJson(parse(coreText)));
  std::vector<std::string> unbatched = {"forward.batched=false", "forward.batch=null"};
  std::vector<std::string> batchSecond = unbatched;
  batchSecond.push_back("module.batch_first=false");
  EXPECT_EQ(toJson(parse(moduleText, unbatched)), toJson(parse(moduleText, batchSecond)));
}

TEST(Config, TableAgreesWithTheStruct) {
  std::set<std::string> paths;
  Config fresh;
  for (const ConfigKey &key : configKeys()) {
    std::string path = key.path.str();
    EXPECT_TRUE(paths.insert(path).second) << path;
    EXPECT_EQ(findConfigKey(key.path), &key);
    EXPECT_FALSE(key.help.empty()) << path;
    EXPECT_FALSE(key.required && !key.defaultText.empty()) << path;
    JsonScalar value = getValue(key, fresh);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(value) || setValue(key, fresh, value))
        << path;
    EXPECT_EQ(setValue(key, fresh, JsonScalar()), key.nullable) << path;
    if (!key.required && !key.defaultText.empty())
      EXPECT_EQ(showScalar(value), key.defaultText) << path;
  }
}

TEST(Config, ChecksAStructFilledByHand) {
  Config config;
  EXPECT_EQ(errorOf(checkConfig(config)),
            "module.embed_dim: found 0, expected an integer from 1 to 1048576");
  config.module.embedDim = 12;
  config.module.numHeads = 3;
  EXPECT_EQ(errorOf(checkConfig(config)), "accepted");
  EXPECT_EQ(config.module.headDim, 4);
  EXPECT_EQ(errorOf(checkConfig(config)), "accepted") << "a second time";
  config.score = "s * (j - i";
  EXPECT_EQ(errorOf(checkConfig(config)),
            "score: found the end of the expression, expected an operator or \")\"\n"
            "  s * (j - i\n"
            "            ^");
  config.score.reset();
  config.module.dropout = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(errorOf(checkConfig(config)),
            "module.dropout: found nan, expected a number from 0.0 to 1.0");
  config.module.dropout = 0;
  config.module.scale = 0.5;
  EXPECT_EQ(errorOf(checkConfig(config)),
            "module.scale: found 0.5, expected null with op \"multihead_attention\"");
  config.op = Op::Attention;
  config.module.scale = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(errorOf(checkConfig(config)),
            "module.scale: found -inf, expected a number from -3.4028234663852886e+38 to "
            "3.4028234663852886e+38 or null");
}

TEST(Config, LoadsFiles) {
  std::string path = testing::TempDir() + "attune_config_test.json";
  std::ofstream(path) << coreText;
  llvm::Expected<Config> config = loadConfig(path, {"name=loaded"});
  ASSERT_TRUE(bool(config)) << llvm::toString(config.takeError());
  EXPECT_EQ(config->name, "loaded");
  std::remove(path.c_str());
  EXPECT_EQ(errorOf(loadConfig(path)), path + ": cannot read: No such file or directory");
  EXPECT_EQ(errorOf(loadConfig("/")), "/: cannot read: Is a directory");
  EXPECT_EQ(errorOf(loadConfig("/dev/zero")), "/dev/zero: larger than 1048576 bytes");
}

} // namespace
