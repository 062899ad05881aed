//===- ConfigKeys.cpp - The table of configuration keys -------------------===//
#include "frontend/ConfigKeys.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FormatVariadic.h"
#include <cfloat>

namespace attune {
namespace {

using llvm::StringRef;

constexpr double maxWidth = 1 << 20;
constexpr double maxHeads = 1 << 16;
constexpr double maxHeadDim = 1 << 10;
// Kernels count rows and keys in 32 bits.
constexpr double maxLength = INT32_MAX;

const StringRef opChoices[] = {"multihead_attention", "attention"};
const StringRef dtypeChoices[] = {"float32", "bfloat16", "float16"};
const StringRef computeDtypeChoices[] = {"float32", "bfloat16"};
const StringRef maskedRowChoices[] = {"zero", "nan"};
const StringRef inputChoices[] = {"separate", "shared_key_value", "self"};
const StringRef attnMaskChoices[] = {"none", "bool_2d", "bool_3d", "float_2d", "float_3d"};
const StringRef paddingMaskChoices[] = {"none", "bool", "float"};

#define ATTUNE_FIELD(MEMBER) [](Config &config) -> FieldRef { return &config.MEMBER; }

const ConfigKey keys[] = {
    {.path = "name",
     .type = KeyType::String,
     .defaultText = R"("attention")",
     // A keyword is a good name: it only ever stands before an underscore, as in case_forward.
     // Names become files such as NAME.json.
     .pattern = "^[A-Za-z_][A-Za-z0-9_]{0,127}$",
     .constraint = "a C identifier of at most 128 characters",
     .help = "prefix of the generated functions and files",
     .field = ATTUNE_FIELD(name)},
    {.path = "op",
     .type = KeyType::Choice,
     .defaultText = R"("multihead_attention")",
     .choices = opChoices,
     .help = "the whole module with its projections, or the attention core alone",
     .field = ATTUNE_FIELD(op)},
    {.path = "dtype",
     .type = KeyType::Choice,
     .defaultText = R"("float32")",
     .choices = dtypeChoices,
     .help = "type of tensors and parameters",
     .field = ATTUNE_FIELD(dtype)},
    {.path = "compute_dtype",
     .type = KeyType::Choice,
     .nullable = true,
     .defaultText = "null",
     .choices = computeDtypeChoices,
     .constraint = "float32 with dtype float16",
     .help = "type that operands of products are rounded to, where the CPU multiplies it; sums are "
             "float32; null: bfloat16 if dtype is, else float32",
     .field = ATTUNE_FIELD(computeDtype)},
    {.path = "score",
     .type = KeyType::String,
     .constraint = "an expression over s, b, h, i, j",
     .help = "applied to every scaled score before the masks",
     .field = ATTUNE_FIELD(score)},
    {.path = "fully_masked_rows",
     .type = KeyType::Choice,
     .defaultText = R"("zero")",
     .choices = maskedRowChoices,
     .help = "attention output of a query that may see no key",
     .field = ATTUNE_FIELD(fullyMaskedRows)},
    {.path = "module.embed_dim",
     .type = KeyType::Integer,
     .ops = KeyOps::MultiheadAttention,
     .required = true,
     .min = 1,
     .max = maxWidth,
     .constraint = "divisible by num_heads",
     .help = "width of query and output",
     .field = ATTUNE_FIELD(module.embedDim)},
    {.path = "module.num_heads",
     .type = KeyType::Integer,
     .required = true,
     .min = 1,
     .max = maxHeads,
     .help = "number of heads",
     .field = ATTUNE_FIELD(module.numHeads)},
    {.path = "module.dropout",
     .type = KeyType::Number,
     .defaultText = "0.0",
     .max = 1,
     .help = "probability of dropping an attention weight; acts in training only",
     .field = ATTUNE_FIELD(module.dropout)},
    {.path = "module.bias",
     .type = KeyType::Boolean,
     .ops = KeyOps::MultiheadAttention,
     .defaultText = "true",
     .help = "the projections have biases",
     .field = ATTUNE_FIELD(module.bias)},
    {.path = "module.add_bias_kv",
     .type = KeyType::Boolean,
     .ops = KeyOps::MultiheadAttention,
     .defaultText = "false",
     .help = "one learned key and value is appended after the projections",
     .field = ATTUNE_FIELD(module.addBiasKv)},
    {.path = "module.add_zero_attn",
     .type = KeyType::Boolean,
     .ops = KeyOps::MultiheadAttention,
     .defaultText = "false",
     .help = "a zero key and value is appended last",
     .field = ATTUNE_FIELD(module.addZeroAttn)},
    {.path = "module.batch_first",
     .type = KeyType::Boolean,
     .ops = KeyOps::MultiheadAttention,
     .defaultText = "false",
     .help = "tensors are (N,L,E) instead of (L,N,E); ignored when unbatched",
     .field = ATTUNE_FIELD(module.batchFirst)},
    {.path = "module.kdim",
     .type = KeyType::Integer,
     .ops = KeyOps::MultiheadAttention,
     .nullable = true,
     .defaultText = "null",
     .min = 1,
     .max = maxWidth,
     .help = "width of key; null: embed_dim",
     .field = ATTUNE_FIELD(module.kdim)},
    {.path = "module.vdim",
     .type = KeyType::Integer,
     .ops = KeyOps::MultiheadAttention,
     .nullable = true,
     .defaultText = "null",
     .min = 1,
     .max = maxWidth,
     .help = "width of value; null: embed_dim",
     .field = ATTUNE_FIELD(module.vdim)},
    {.path = "module.head_dim",
     .type = KeyType::Integer,
     .ops = KeyOps::Attention,
     .required = true,
     .min = 1,
     .max = maxHeadDim,
     .help = "width of one head",
     .field = ATTUNE_FIELD(module.headDim)},
    {.path = "module.scale",
     .type = KeyType::Number,
     .ops = KeyOps::Attention,
     .nullable = true,
     .defaultText = "null",
     .min = -FLT_MAX,
     .max = FLT_MAX,
     .help = "factor on the dot products; null: 1 / sqrt(head_dim)",
     .field = ATTUNE_FIELD(module.scale)},
    {.path = "forward.batched",
     .type = KeyType::Boolean,
     .defaultText = "true",
     .help = "tensors have a batch dimension",
     .field = ATTUNE_FIELD(forward.batched)},
    {.path = "forward.batch",
     .type = KeyType::Integer,
     .nullable = true,
     .defaultText = "null",
     .max = maxLength,
     .constraint = "null when batched is false",
     .help = "batch size N; null: chosen at run time",
     .field = ATTUNE_FIELD(forward.batch)},
    {.path = "forward.target_length",
     .type = KeyType::Integer,
     .nullable = true,
     .defaultText = "null",
     .max = maxLength,
     .help = "number of queries L; null: chosen at run time",
     .field = ATTUNE_FIELD(forward.targetLength)},
    {.path = "forward.source_length",
     .type = KeyType::Integer,
     .nullable = true,
     .defaultText = "null",
     .max = maxLength,
     .help = "number of keys S; null: chosen at run time",
     .field = ATTUNE_FIELD(forward.sourceLength)},
    {.path = "forward.inputs",
     .type = KeyType::Choice,
     .defaultText = R"("separate")",
     .choices = inputChoices,
     .constraint = "tensors that are the same need matching kdim, vdim and lengths",
     .help = "which of query, key and value are the same tensor",
     .field = ATTUNE_FIELD(forward.inputs)},
    {.path = "forward.attn_mask",
     .type = KeyType::Choice,
     .defaultText = R"("none")",
     .choices = attnMaskChoices,
     .help = "mask (L,S) or (N*H,L,S); bool: true may not attend; float: added",
     .field = ATTUNE_FIELD(forward.attnMask)},
    {.path = "forward.key_padding_mask",
     .type = KeyType::Choice,
     .defaultText = R"("none")",
     .choices = paddingMaskChoices,
     .help = "mask (N,S), unbatched (S); bool: true is ignored; float: added",
     .field = ATTUNE_FIELD(forward.keyPaddingMask)},
    {.path = "forward.is_causal",
     .type = KeyType::Boolean,
     .defaultText = "false",
     .help = "query i sees keys 0 to i; together with a mask both apply",
     .field = ATTUNE_FIELD(forward.isCausal)},
    {.path = "forward.need_weights",
     .type = KeyType::Boolean,
     .defaultText = "true",
     .attentionDefaultText = "false",
     .help = "the attention weights are a second output",
     .field = ATTUNE_FIELD(forward.needWeights)},
    {.path = "forward.average_attn_weights",
     .type = KeyType::Boolean,
     .defaultText = "true",
     .constraint = "acts only with need_weights",
     .help = "the weights are averaged over the heads",
     .field = ATTUNE_FIELD(forward.averageAttnWeights)},
};

#undef ATTUNE_FIELD

const StringRef sections[] = {"module", "forward"};

/// Reads a field: the value behind the pointer as a scalar.
struct Getter {
  const ConfigKey &key;

  template <typename T> JsonScalar operator()(T *field) const {
    if constexpr (std::is_enum_v<T>)
      return key.choices[static_cast<size_t>(*field)].str();
    else
      return JsonScalar(*field);
  }
  template <typename T> JsonScalar operator()(std::optional<T> *field) const {
    return *field ? (*this)(&**field) : JsonScalar();
  }
};

/// Writes a field; false when the scalar does not fit.
struct Setter {
  const ConfigKey &key;
  const JsonScalar &value;

  template <typename T> bool operator()(T *field) const {
    if constexpr (std::is_enum_v<T>) {
      const auto *name = std::get_if<std::string>(&value);
      const auto *choice = name ? llvm::find(key.choices, *name) : key.choices.end();
      if (choice == key.choices.end())
        return false;
      *field = static_cast<T>(choice - key.choices.begin());
      return true;
    }
    if constexpr (std::is_same_v<T, double>)
      if (const auto *integer = std::get_if<int64_t>(&value)) {
        *field = static_cast<double>(*integer);
        return true;
      }
    if constexpr (!std::is_enum_v<T>)
      if (const T *same = std::get_if<T>(&value)) {
        *field = *same;
        return true;
      }
    return false;
  }
  template <typename T> bool operator()(std::optional<T> *field) const {
    if (std::holds_alternative<std::monostate>(value)) {
      field->reset();
      return key.nullable;
    }
    return (*this)(&field->emplace());
  }
};

std::string typeExpectation(const ConfigKey &key) {
  switch (key.type) {
  case KeyType::Boolean:
    return "true or false";
  case KeyType::Integer:
    return llvm::formatv("an integer from {0} to {1}", int64_t(key.min), int64_t(key.max));
  case KeyType::Number:
    return "a number from " + showScalar(key.min) + " to " + showScalar(key.max);
  case KeyType::String:
    return key.constraint.empty() ? "a string" : ("a string: " + key.constraint).str();
  case KeyType::Choice:
    break;
  }
  std::string quoted = llvm::join(
      llvm::map_range(key.choices, [](StringRef c) { return ("\"" + c + "\"").str(); }), ", ");
  return key.choices.size() == 1 ? quoted : "one of " + quoted;
}

} // namespace

bool ConfigKey::belongsTo(Op op) const {
  return ops == KeyOps::Both ||
         (ops == KeyOps::MultiheadAttention) == (op == Op::MultiheadAttention);
}

StringRef ConfigKey::defaultFor(Op op) const {
  return op == Op::Attention && !attentionDefaultText.empty() ? attentionDefaultText : defaultText;
}

llvm::ArrayRef<ConfigKey> configKeys() { return keys; }

const ConfigKey *findConfigKey(StringRef path) {
  const auto *found = llvm::find_if(keys, [&](const ConfigKey &key) { return key.path == path; });
  return found == std::end(keys) ? nullptr : found;
}

llvm::ArrayRef<StringRef> configSections() { return sections; }

StringRef opName(Op op) { return opChoices[static_cast<size_t>(op)]; }

JsonScalar getValue(const ConfigKey &key, const Config &config) {
  // The accessor serves reading and writing; reading leaves the configuration as it is.
  return std::visit(Getter{key}, key.field(const_cast<Config &>(config)));
}

bool setValue(const ConfigKey &key, Config &config, const JsonScalar &value) {
  return std::visit(Setter{key, value}, key.field(config));
}

std::string expectation(const ConfigKey &key) {
  return typeExpectation(key) + (key.nullable ? " or null" : "");
}

std::string ConfigOrigins::place(StringRef path) const {
  auto found = lines.find(path.str());
  if (found == lines.end())
    return fileName + ": " + printable(path);
  if (found->second == 0)
    return "--set " + printable(path);
  return fileName + ":" + std::to_string(found->second) + ": " + printable(path);
}

llvm::Error configError(const ConfigOrigins *origins, StringRef path, const llvm::Twine &message) {
  std::string place = origins ? origins->place(path) : path.str();
  return llvm::make_error<llvm::StringError>(place + ": " + message,
                                             llvm::inconvertibleErrorCode());
}

} // namespace attune
