//===- ConfigCheck.cpp - Constraints and contradictions -------------------===//
#include "frontend/Config.h"
#include "frontend/ConfigKeys.h"
#include "frontend/Interface.h"
#include "frontend/ScoreParser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Regex.h"
#include <algorithm>

namespace attune {
namespace {

using llvm::StringRef;

/// Tensors beyond this cannot be addressed; products below it do not overflow.
constexpr int64_t maxElements = int64_t(1) << 46;

bool fitsPattern(const ConfigKey &key, const JsonScalar &value) {
  const auto *text = std::get_if<std::string>(&value);
  return !text || key.pattern.empty() || llvm::Regex(key.pattern).match(*text);
}

/// The constraints of one row of the table.
llvm::Error checkKey(const ConfigKey &key, const Config &config, const ConfigOrigins *origins) {
  JsonScalar value = getValue(key, config);
  bool isNull = std::holds_alternative<std::monostate>(value);
  if (!key.belongsTo(config.op)) {
    if (!key.nullable || isNull)
      return llvm::Error::success();
    return configError(origins, key.path,
                       "found " + showScalar(value) + ", expected null with op \"" +
                           opName(config.op) + "\"");
  }
  if (key.required && origins && !origins->given(key.path))
    return configError(origins, key.path,
                       "missing; op \"" + opName(config.op) + "\" needs " + expectation(key));
  if (isNull)
    return llvm::Error::success();
  double number = key.min;
  if (const auto *integer = std::get_if<int64_t>(&value))
    number = double(*integer);
  else if (const auto *real = std::get_if<double>(&value))
    number = *real;
  // Written so that NaN fails.
  if (number >= key.min && number <= key.max && fitsPattern(key, value))
    return llvm::Error::success();
  return configError(origins, key.path,
                     "found " + showScalar(value) + ", expected " + expectation(key));
}

/// One contradiction: the key to blame and what is wrong with it, or no message.
struct Problem {
  StringRef path;
  std::string message;
};

std::string number(int64_t value) { return std::to_string(value); }

Problem checkHeads(const Config &config) {
  const ModuleConfig &module = config.module;
  if (config.op == Op::Attention || module.embedDim % module.numHeads == 0)
    return {};
  return {"module.num_heads", "found " + number(module.numHeads) +
                                  ", expected a divisor of module.embed_dim (" +
                                  number(module.embedDim) + ")"};
}

Problem checkComputeDtype(const Config &config) {
  if (config.dtype != DType::Float16 || config.productDtype() != DType::BFloat16)
    return {};
  return {"compute_dtype",
          "found \"bfloat16\", expected null or \"float32\" because dtype is \"float16\""};
}

Problem checkBatch(const Config &config) {
  if (config.forward.batched || !config.forward.batch)
    return {};
  return {"forward.batch", "found " + number(*config.forward.batch) +
                               ", expected null because forward.batched is false"};
}

Problem checkSelfWidths(const Config &config) {
  const ModuleConfig &module = config.module;
  if (config.op == Op::Attention || config.forward.inputs != Inputs::Self)
    return {};
  for (auto [path, width] : {std::pair("module.kdim", module.kdim), {"module.vdim", module.vdim}})
    if (width && *width != module.embedDim)
      return {path, "found " + number(*width) + ", expected null or module.embed_dim (" +
                        number(module.embedDim) + ") because forward.inputs is \"self\""};
  return {};
}

Problem checkSharedWidths(const Config &config) {
  const ModuleConfig &module = config.module;
  int64_t kdim = module.kdim.value_or(module.embedDim);
  int64_t vdim = module.vdim.value_or(module.embedDim);
  if (config.op == Op::Attention || config.forward.inputs != Inputs::SharedKeyValue || kdim == vdim)
    return {};
  // Blames a key that was given.
  bool blameKey = !module.vdim.has_value();
  return {blameKey ? "module.kdim" : "module.vdim",
          "found " + number(blameKey ? kdim : vdim) + ", expected the same as " +
              (blameKey ? "module.vdim (" + number(vdim) : "module.kdim (" + number(kdim)) +
              ") because forward.inputs is \"shared_key_value\""};
}

Problem checkSelfLengths(const Config &config) {
  const ForwardConfig &forward = config.forward;
  if (forward.inputs != Inputs::Self || !forward.targetLength || !forward.sourceLength ||
      *forward.targetLength == *forward.sourceLength)
    return {};
  return {"forward.source_length", "found " + number(*forward.sourceLength) +
                                       ", expected the same as forward.target_length (" +
                                       number(*forward.targetLength) +
                                       ") because forward.inputs is \"self\""};
}

/// The product of sizes stays addressable; sizes that are not known yet count as 1.
bool fits(std::initializer_list<int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes)
    if (__builtin_mul_overflow(product, std::max<int64_t>(size, 1), &product) ||
        product > maxElements)
      return false;
  return true;
}

Problem checkSizes(const Config &config) {
  const ForwardConfig &forward = config.forward;
  const ModuleConfig &module = config.module;
  int64_t batch = forward.batch.value_or(1);
  int64_t queries = forward.targetLength.value_or(1), keys = forward.sourceLength.value_or(1);
  int64_t width = config.op == Op::Attention ? module.numHeads * module.headDim : module.embedDim;
  int64_t keyWidth = std::max({width, module.kdim.value_or(1), module.vdim.value_or(1)});
  // The matrices of queries by keys: a mask, and the weights, which also have the appended keys.
  bool mask3d = forward.attnMask == AttnMask::Bool3d || forward.attnMask == AttnMask::Float3d;
  int64_t matrixBatch = mask3d || forward.needWeights ? batch : 1;
  bool perHead = mask3d || (forward.needWeights && !forward.averageAttnWeights);
  int64_t columns = keys + (forward.needWeights ? appendedColumns(config) : 0);
  const char *tensor = !fits({batch, queries, width})   ? "query"
                       : !fits({batch, keys, keyWidth}) ? "key or value"
                       : !fits({matrixBatch, perHead ? module.numHeads : 1, queries, columns})
                           ? "score"
                           : nullptr;
  if (!tensor)
    return {};
  StringRef path = forward.targetLength   ? "forward.target_length"
                   : forward.sourceLength ? "forward.source_length"
                                          : "forward.batch";
  return {path, std::string("the sizes given make a ") + tensor + " tensor of more than " +
                    number(maxElements) + " elements; expected smaller sizes"};
}

Problem checkScore(const Config &config) {
  if (config.score)
    if (llvm::Error error = parseScore(*config.score).takeError())
      return {"score", llvm::toString(std::move(error))};
  return {};
}

using Rule = Problem (*)(const Config &);

const Rule rules[] = {checkHeads,        checkComputeDtype, checkBatch, checkSelfWidths,
                      checkSharedWidths, checkSelfLengths,  checkSizes, checkScore};

} // namespace

llvm::Error checkConfig(Config &config, const ConfigOrigins *origins) {
  for (const ConfigKey &key : configKeys())
    if (llvm::Error error = checkKey(key, config, origins))
      return error;
  for (Rule rule : rules)
    if (Problem problem = rule(config); !problem.message.empty())
      return configError(origins, problem.path, problem.message);
  if (config.op == Op::MultiheadAttention)
    config.module.headDim = config.module.embedDim / config.module.numHeads;
  ForwardConfig &forward = config.forward;
  if (forward.inputs == Inputs::Self) {
    forward.targetLength = forward.targetLength ? forward.targetLength : forward.sourceLength;
    forward.sourceLength = forward.targetLength;
  }
  return llvm::Error::success();
}

} // namespace attune
