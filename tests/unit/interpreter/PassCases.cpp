//===- PassCases.cpp - Configurations that passes are tested on -----------===//
#include "PassCases.h"

#include "InterpreterTest.h"
#include "frontend/Interface.h"
#include <cmath>
#include <limits>

namespace attune::test {

namespace {
/// The object of a module of 3 heads, with keys besides embed_dim and num_heads.
std::string module12(const std::string &keys) {
  return R"("op": "multihead_attention", "module": {"embed_dim": 12, "num_heads": 3, )" + keys +
         "}, ";
}
const std::string heads2x5 = R"("op": "attention", "module": {"num_heads": 2, "head_dim": 5}, )";
const std::string nanRows = R"("fully_masked_rows": "nan", )";

std::string score(const std::string &expression) { return R"("score": ")" + expression + R"(", )"; }
std::string forward(const std::string &keys) { return R"("forward": {)" + keys + "}"; }
/// Of a module whose weights are not returned.
std::string outOnly(const std::string &keys = "") {
  return forward(R"("need_weights": false)" + (keys.empty() ? "" : ", " + keys));
}

std::vector<PassCase> attentionCases() {
  return {
      {"Attention", heads2x5 + forward(""), {2, 7, 19}},
      {"AttentionCausalLongSource", heads2x5 + forward(R"("is_causal": true)"), {1, 20, 53}},
      {"AttentionCausalLongTarget", heads2x5 + forward(R"("is_causal": true)"), {2, 41, 18}},
      {"AttentionBool", heads2x5 + forward(R"("attn_mask": "bool_2d")"), {2, 13, 35}},
      {"AttentionBoolCausal",
       heads2x5 + forward(R"("attn_mask": "bool_2d", "is_causal": true)"),
       {1, 29, 40}},
      {"AttentionFloatNan",
       nanRows + heads2x5 + forward(R"("attn_mask": "float_2d")"),
       {2, 14, 33}},
      {"AttentionUnbatched",
       heads2x5 + forward(R"("batched": false, "is_causal": true)"),
       {1, 9, 17}},
      {"AttentionOneQuery", heads2x5 + forward(R"("inputs": "shared_key_value")"), {3, 1, 40}},
      {"AttentionOneKey", heads2x5 + forward(""), {2, 8, 1}},
      {.name = "AttentionSelfAsIs",
       .json = R"("op": "attention", "module": {"num_heads": 2, "head_dim": 8, "scale": 0.7}, )" +
               forward(R"("inputs": "self", "is_causal": true)"),
       .sizes = {2, 35, 35},
       .valuesAsIs = true},
      {"AttentionNoKeys", nanRows + heads2x5 + forward(""), {2, 8, 0}},
      {"AttentionNoBatch", heads2x5 + forward(""), {0, 8, 5}},
      {"AttentionBoolOfEveryHead", heads2x5 + forward(R"("attn_mask": "bool_3d")"), {2, 13, 35}},
      {"AttentionFloatOfEveryHead",
       heads2x5 + forward(R"("attn_mask": "float_3d", "is_causal": true)"),
       {2, 9, 21}},
      {"AttentionUnbatchedOfEveryHead",
       heads2x5 + forward(R"("attn_mask": "bool_3d", "batched": false)"),
       {1, 9, 21}},
  };
}

std::vector<PassCase> paddingCases() {
  return {
      {.name = "PaddingBool",
       .json = heads2x5 + forward(R"("key_padding_mask": "bool")"),
       .sizes = {3, 7, 53},
       .holdsNanInPadding = true},
      {.name = "PaddingBoolAsIs",
       .json = R"("op": "attention", "module": {"num_heads": 2, "head_dim": 8}, )" +
               forward(R"("key_padding_mask": "bool", "is_causal": true)"),
       .sizes = {4, 35, 50},
       .valuesAsIs = true,
       .holdsNanInPadding = true},
      {.name = "PaddingFloat",
       .json = nanRows + heads2x5 + forward(R"("key_padding_mask": "float", "is_causal": true)"),
       .sizes = {3, 20, 37},
       .holdsNanInPadding = true},
      {.name = "PaddingUnbatched",
       .json = heads2x5 + forward(R"("key_padding_mask": "bool", "batched": false)"),
       .sizes = {1, 9, 33},
       .holdsNanInPadding = true},
      {.name = "PaddingBoolMaskFloat",
       .json = heads2x5 + forward(R"("key_padding_mask": "bool", "attn_mask": "float_2d")"),
       .sizes = {3, 9, 33},
       .holdsNanInPadding = true},
      {.name = "PaddingFloatMaskBoolOfEveryHead",
       .json = heads2x5 + forward(R"("key_padding_mask": "float", "attn_mask": "bool_3d")"),
       .sizes = {3, 9, 33},
       .holdsNanInPadding = true},
      {"PaddingOfModule",
       module12(R"("batch_first": false)") +
           outOnly(R"("key_padding_mask": "bool", "attn_mask": "bool_2d", "is_causal": true)"),
       {3, 21, 34}},
      {"PaddingOfModuleUnbatched",
       module12(R"("batch_first": true)") +
           outOnly(R"("key_padding_mask": "float", "batched": false)"),
       {1, 9, 34}},
      {"PaddingNoKeys", heads2x5 + forward(R"("key_padding_mask": "bool")"), {2, 4, 0}},
  };
}

std::vector<PassCase> scoreCases() {
  const std::string alibi = score("s + 0.25 * (h + 1) * (j - i)");
  const std::string every =
      score("where(s > 0 and not i == j, s, min(s, -abs(tanh(b + h / H) * j) / L)) - S / D");
  auto plainAlibi = [](double s, int64_t, int64_t h, int64_t i, int64_t j) {
    return s + 0.25 * static_cast<double>((h + 1) * (j - i));
  };
  auto softCap = [](double s, int64_t, int64_t, int64_t, int64_t) { return 2 * std::tanh(s / 2); };
  auto window = [](double s, int64_t, int64_t, int64_t i, int64_t j) {
    return i - j > 4 ? -std::numeric_limits<double>::infinity() : s;
  };
  auto all = [](double s, int64_t b, int64_t h, int64_t i, int64_t j) {
    const double low = -std::fabs(std::tanh(b + h / 2.0) * j) / 10;
    return (s > 0 && i != j ? s : std::min(s, low)) - 21.0 / 5;
  };
  return {
      {.name = "ScoreSlopes",
       .json = alibi + heads2x5 + forward(""),
       .sizes = {2, 9, 35},
       .score = plainAlibi},
      {.name = "ScoreSlopesMaskedPadded",
       .json = alibi + heads2x5 +
               forward(R"("attn_mask": "float_2d", "key_padding_mask": "bool", "is_causal": true)"),
       .sizes = {3, 9, 35},
       .holdsNanInPadding = true,
       .score = plainAlibi},
      {.name = "ScoreSoftCapOfModule",
       .json = score("2 * tanh(s / 2)") +
               module12(R"("add_bias_kv": true, "add_zero_attn": true)") +
               forward(R"("inputs": "self")"),
       .sizes = {2, 9, 9},
       .score = softCap},
      {.name = "ScoreHides",
       .json = score("where(i - j > 4, -inf, s)") + heads2x5 +
               forward(R"("is_causal": true, "need_weights": true)"),
       .sizes = {2, 33, 20},
       .score = window},
      {.name = "ScoreOfEveryVariable",
       .json = every + heads2x5 + forward(""),
       .sizes = {2, 10, 21},
       .score = all},
  };
}

std::vector<PassCase> moduleCases() {
  return {
      {"ModuleSeparate", module12(R"("batch_first": false)") + outOnly(), {2, 7, 19}},
      {"ModuleBatchFirstSelfCausal",
       module12(R"("batch_first": true)") + outOnly(R"("inputs": "self", "is_causal": true)"),
       {3, 21, 21}},
      {"ModuleSelfBool",
       module12(R"("batch_first": false)") + outOnly(R"("inputs": "self", "attn_mask": "bool_2d")"),
       {2, 18, 18}},
      {"ModuleSharedFloatNoBias",
       module12(R"("batch_first": true, "bias": false)") +
           outOnly(R"("inputs": "shared_key_value", "attn_mask": "float_2d", "is_causal": true)"),
       {2, 17, 23}},
      {"ModuleUnbatchedBool",
       module12(R"("batch_first": true)") + outOnly(R"("batched": false, "attn_mask": "bool_2d")"),
       {1, 13, 34}},
      {"ModuleStaticSizes",
       module12(R"("batch_first": true)") +
           outOnly(R"("batch": 2, "target_length": 11, "source_length": 18, "is_causal": true)"),
       {2, 11, 18}},
      {"ModuleOneBatch", module12(R"("batch_first": false)") + outOnly(), {1, 9, 16}},
      {"ModuleNoKeys", module12(R"("batch_first": true)") + outOnly(), {2, 5, 0}},
      {"ModuleNoQueries", module12(R"("batch_first": true)") + outOnly(), {2, 0, 5}},
      {"ModuleOneOfAll",
       R"("op": "multihead_attention", "module": {"embed_dim": 1, "num_heads": 1}, )" +
           outOnly(R"("inputs": "self")"),
       {1, 1, 1}},
      {"ModuleSeparateWeights", module12(R"("kdim": 7, "vdim": 9)") + outOnly(), {2, 7, 19}},
      {"ModuleSeparateWeightsOfKeyAlone",
       module12(R"("kdim": 7, "bias": false)") + outOnly(R"("batched": false)"),
       {1, 7, 19}},
      {"ModuleSeparateWeightsShared",
       module12(R"("kdim": 7, "vdim": 7, "batch_first": true)") +
           outOnly(R"("inputs": "shared_key_value")"),
       {2, 7, 19}},
      {"ModuleAppendedBias", module12(R"("add_bias_kv": true)") + outOnly(), {2, 7, 19}},
      {"ModuleAppendedZero",
       module12(R"("add_zero_attn": true, "batch_first": true)") +
           outOnly(R"("is_causal": true, "attn_mask": "bool_2d")"),
       {2, 20, 18}},
      {"ModuleAppendedBoth",
       module12(R"("add_bias_kv": true, "add_zero_attn": true, "bias": false)") +
           outOnly(R"("is_causal": true, "key_padding_mask": "bool", "attn_mask": "float_3d")"),
       {3, 20, 18}},
      {"ModuleAppendedBothNoKeys",
       module12(R"("add_bias_kv": true, "add_zero_attn": true)") + outOnly(),
       {2, 5, 0}},
  };
}

std::vector<PassCase> weightsCases() {
  const std::string perHead = R"("need_weights": true, "average_attn_weights": false)";
  return {
      {"WeightsAveraged", heads2x5 + forward(R"("need_weights": true)"), {2, 7, 35}},
      {"WeightsOfEveryHead", heads2x5 + forward(perHead), {2, 7, 35}},
      {"WeightsUnbatched",
       heads2x5 + forward(R"("need_weights": true, "batched": false, "is_causal": true)"),
       {1, 20, 18}},
      {"WeightsUnbatchedOfEveryHead",
       heads2x5 + forward(perHead + R"(, "batched": false, "attn_mask": "bool_3d")"),
       {1, 20, 18}},
      {.name = "WeightsPadded",
       .json = heads2x5 + forward(perHead + R"(, "key_padding_mask": "bool", "is_causal": true)"),
       .sizes = {3, 20, 53},
       .holdsNanInPadding = true},
      {"WeightsNanRows",
       nanRows + heads2x5 + forward(R"("need_weights": true, "attn_mask": "float_2d")"),
       {2, 9, 21}},
      {"WeightsNoKeys", heads2x5 + forward(R"("need_weights": true)"), {2, 3, 0}},
      {"WeightsNoQueries", heads2x5 + forward(perHead), {2, 0, 5}},
      {"WeightsOfModule", module12(R"("batch_first": true)") + forward(""), {2, 7, 19}},
      {"WeightsOfModuleUnbatched",
       module12(R"("kdim": 5)") + forward(R"("batched": false)"),
       {1, 7, 19}},
      {"WeightsOfAppendedBoth",
       module12(R"("add_bias_kv": true, "add_zero_attn": true)") +
           forward(perHead + R"(, "is_causal": true, "key_padding_mask": "float")"),
       {3, 9, 20}},
      {"WeightsOfAppendedZeroNoKeys",
       nanRows + module12(R"("add_zero_attn": true)") + forward(""),
       {2, 3, 0}},
  };
}

bool isFloatMask(const Config &config, const std::string &name) {
  const AttnMask mask = config.forward.attnMask;
  return name == "key_padding_mask" ? config.forward.keyPaddingMask == KeyPaddingMask::Float
                                    : mask == AttnMask::Float2d || mask == AttnMask::Float3d;
}

/// Makes a mask of random numbers: what is hidden becomes -inf, or a byte that is not zero.
void makeMask(mha::Array &mask, bool isFloat,
              llvm::function_ref<bool(double entry, int64_t row, int64_t key)> hides) {
  const int64_t keys = mask.shape.back();
  for (int64_t k = 0; k < mask.elements(); ++k) {
    double &entry = (*mask.storage)[k];
    const bool isHidden = hides(entry, k / keys, k % keys);
    if (!isFloat)
      entry = isHidden ? (k % 2 ? 255 : 1) : 0;
    else if (isHidden)
      entry = -std::numeric_limits<double>::infinity();
  }
}

/// NaN for the keys and values of padded keys; `key` and `value` of op attention.
void spoilPadded(const Config &config, const Sizes &sizes, Tensors &tensors) {
  const mha::Array &padding = tensors.at("key_padding_mask");
  for (const char *name : {"key", "value"}) {
    mha::Array &array = tensors.at(name);
    const int64_t depth = array.shape.back(), keys = sizes.source;
    for (int64_t k = 0; k < array.elements(); ++k) {
      const int64_t batch = k / (depth * keys * config.module.numHeads);
      const double entry = (*padding.storage)[batch * keys + k / depth % keys];
      if (isFloatMask(config, "key_padding_mask") ? std::isinf(entry) : entry != 0)
        (*array.storage)[k] = std::nan("");
    }
  }
}
} // namespace

void PrintTo(const PassCase &passCase, std::ostream *stream) { *stream << passCase.name; }

std::vector<PassCase> passCases() {
  std::vector<PassCase> cases;
  for (const auto &list :
       {attentionCases(), paddingCases(), scoreCases(), moduleCases(), weightsCases()})
    cases.insert(cases.end(), list.begin(), list.end());
  return cases;
}

Tensors randomTensors(const Config &config, const PassCase &passCase, std::mt19937 &generator) {
  Tensors tensors;
  const Sizes &sizes = passCase.sizes;
  for (const auto &list : {interfaceInputs(config), interfaceParameters(config)})
    for (const InterfaceTensor &tensor : list)
      tensors[tensor.name] =
          randomArray(shapeOf(tensor, {sizes.batch, sizes.target, sizes.source}), generator);
  if (tensors.count("attn_mask"))
    makeMask(
        tensors["attn_mask"], isFloatMask(config, "attn_mask"),
        [&](double entry, int64_t row, int64_t) { return entry < 0 || row % sizes.target == 2; });
  if (tensors.count("key_padding_mask"))
    makeMask(tensors["key_padding_mask"], isFloatMask(config, "key_padding_mask"),
             [&](double entry, int64_t batch, int64_t key) {
               if (batch == 0)
                 return entry < 0;
               return batch == 1 || key < sizes.source / 2 || key >= sizes.source - 3;
             });
  if (passCase.holdsNanInPadding)
    spoilPadded(config, sizes, tensors);
  return tensors;
}

} // namespace attune::test
