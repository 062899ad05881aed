//===- PlainAttention.cpp - Attention as plain loops ----------------------===//
#include "PlainAttention.h"

#include "frontend/Interface.h"
#include <cmath>
#include <limits>

namespace attune::test {

namespace {
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// Numbers by (n, h, t, d).
struct Heads {
  int64_t heads, length, depth;
  std::vector<double> values;

  Heads(int64_t batch, int64_t heads, int64_t length, int64_t depth)
      : heads(heads), length(length), depth(depth), values(batch * heads * length * depth) {}
  double &at(int64_t n, int64_t h, int64_t t, int64_t d) {
    return values[((n * heads + h) * length + t) * depth + d];
  }
};

class Plain {
public:
  Plain(const Config &config, const Sizes &sizes, const Tensors &tensors, const Score &score)
      : config(config), sizes(sizes), tensors(tensors), score(score), heads(config.module.numHeads),
        depth(config.module.headDim), keys(sizes.source + appendedColumns(config)) {}

  std::vector<mha::Array> run() {
    const char *key = config.forward.inputs == Inputs::Self ? "query" : "key";
    const char *value = config.forward.inputs == Inputs::Separate ? "value" : key;
    Heads q = operand("query", 0), k = operand(key, 1), v = operand(value, 2);
    Heads attended(sizes.batch, heads, sizes.target, depth);
    Heads weights(sizes.batch, heads, sizes.target, keys);
    for (int64_t n = 0; n < sizes.batch; ++n)
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < sizes.target; ++i) {
          const std::vector<double> scores = scoresOf(q, k, n, h, i);
          attend(scores, v, attended, weights, {n, h, i});
        }
    std::vector<mha::Array> outputs = {config.op == Op::Attention ? asInterface(attended)
                                                                  : projectOut(attended)};
    const bool averages = config.forward.averageAttnWeights;
    if (config.forward.needWeights)
      outputs.push_back(asInterface(averages ? average(weights) : weights, averages));
    return outputs;
  }

private:
  struct Row {
    int64_t n, h, i;
  };

  double element(const std::string &name, std::vector<int64_t> indices) {
    return *tensors.at(name).find(indices);
  }

  //===--- Operands --------------------------------------------------------===//

  /// Where row t of batch n stands: module tensors as (t, n), (n, t) or (t).
  std::vector<int64_t> row(int64_t n, int64_t t, int64_t column) {
    if (!config.forward.batched)
      return {t, column};
    if (config.module.batchFirst)
      return {n, t, column};
    return {t, n, column};
  }

  /// Query, key or value (part 0, 1 or 2) as heads, the last two with what is appended.
  Heads operand(const std::string &name, int64_t part) {
    const int64_t given = part == 0 ? sizes.target : sizes.source;
    Heads result(sizes.batch, heads, part == 0 ? sizes.target : keys, depth);
    for (int64_t n = 0; n < sizes.batch; ++n)
      for (int64_t t = 0; t < result.length; ++t)
        for (int64_t h = 0; h < heads; ++h)
          for (int64_t d = 0; d < depth; ++d)
            result.at(n, h, t, d) = t >= given ? appended(part, t - given, h * depth + d)
                                    : config.op == Op::Attention
                                        ? headElement(name, n, h, t, d)
                                        : projected(name, n, t, h * depth + d, part);
    return result;
  }

  double appended(int64_t part, int64_t index, int64_t column) {
    if (!config.module.addBiasKv || index > 0)
      return 0;
    return element(part == 1 ? "bias_k" : "bias_v", {0, 0, column});
  }

  double headElement(const std::string &name, int64_t n, int64_t h, int64_t t, int64_t d) {
    return config.forward.batched ? element(name, {n, h, t, d}) : element(name, {h, t, d});
  }

  double projected(const std::string &name, int64_t n, int64_t t, int64_t column, int64_t part) {
    const bool isPacked = hasPackedProjection(config);
    const char *separate[] = {"q_proj_weight", "k_proj_weight", "v_proj_weight"};
    const std::string weight = isPacked ? "in_proj_weight" : separate[part];
    const int64_t stacked = part * config.module.embedDim + column;
    double sum = config.module.bias ? element("in_proj_bias", {stacked}) : 0;
    for (int64_t e = 0; e < tensors.at(weight).shape[1]; ++e)
      sum += element(name, row(n, t, e)) * element(weight, {isPacked ? stacked : column, e});
    return sum;
  }

  //===--- Scores ----------------------------------------------------------===//

  bool isForbidden(double maskElement, bool isFloat) {
    return isFloat ? maskElement == kMinusInfinity : maskElement != 0;
  }

  double maskElement(int64_t n, int64_t h, int64_t i, int64_t j) {
    const bool is3d =
        config.forward.attnMask == AttnMask::Bool3d || config.forward.attnMask == AttnMask::Float3d;
    return is3d ? element("attn_mask", {n * heads + h, i, j}) : element("attn_mask", {i, j});
  }

  double paddingElement(int64_t n, int64_t j) {
    return config.forward.batched ? element("key_padding_mask", {n, j})
                                  : element("key_padding_mask", {j});
  }

  /// What the masks make of a given key's score.
  double masked(double s, int64_t n, int64_t h, int64_t i, int64_t j) {
    const AttnMask mask = config.forward.attnMask;
    const KeyPaddingMask padding = config.forward.keyPaddingMask;
    const bool isFloat = mask == AttnMask::Float2d || mask == AttnMask::Float3d;
    const bool isFloatPadding = padding == KeyPaddingMask::Float;
    if (config.forward.isCausal && j > i)
      return kMinusInfinity;
    if (mask != AttnMask::None && isForbidden(maskElement(n, h, i, j), isFloat))
      return kMinusInfinity;
    if (padding != KeyPaddingMask::None && isForbidden(paddingElement(n, j), isFloatPadding))
      return kMinusInfinity;
    return s + (isFloat ? maskElement(n, h, i, j) : 0) +
           (isFloatPadding ? paddingElement(n, j) : 0);
  }

  std::vector<double> scoresOf(Heads &q, Heads &k, int64_t n, int64_t h, int64_t i) {
    std::vector<double> scores;
    for (int64_t j = 0; j < keys; ++j) {
      double s = 0;
      for (int64_t d = 0; d < depth; ++d)
        s += q.at(n, h, i, d) * k.at(n, h, j, d);
      s *= config.scale();
      if (j < sizes.source) // appended keys are always seen, with their plain score
        s = masked(score ? score(s, n, h, i, j) : s, n, h, i, j);
      scores.push_back(s);
    }
    return scores;
  }

  void attend(const std::vector<double> &scores, Heads &v, Heads &out, Heads &weights, Row row) {
    double maximum = kMinusInfinity, total = 0;
    for (double s : scores)
      maximum = std::max(maximum, s);
    for (double s : scores)
      total += s == kMinusInfinity ? 0 : std::exp(s - maximum);
    const double none = config.fullyMaskedRows == FullyMaskedRows::Nan ? std::nan("") : 0;
    const bool isMasked = total == 0;
    for (int64_t j = 0; j < keys; ++j)
      weights.at(row.n, row.h, row.i, j) = isMasked ? none : std::exp(scores[j] - maximum) / total;
    for (int64_t d = 0; d < depth; ++d) {
      double sum = isMasked ? none : 0;
      for (int64_t j = 0; j < keys; ++j)
        if (scores[j] != kMinusInfinity)
          sum += weights.at(row.n, row.h, row.i, j) * v.at(row.n, row.h, j, d);
      out.at(row.n, row.h, row.i, d) = sum;
    }
  }

  //===--- Outputs ---------------------------------------------------------===//

  Heads average(Heads &weights) {
    Heads result(sizes.batch, 1, weights.length, weights.depth);
    for (int64_t n = 0; n < sizes.batch; ++n)
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < weights.length; ++i)
          for (int64_t j = 0; j < weights.depth; ++j)
            result.at(n, 0, i, j) += weights.at(n, h, i, j) / static_cast<double>(heads);
    return result;
  }

  /// (N, H, length, depth) without N when unbatched, and without H when averaged.
  mha::Array asInterface(const Heads &from, bool isAveraged = false) {
    std::vector<int64_t> shape = {from.length, from.depth};
    if (!isAveraged)
      shape.insert(shape.begin(), from.heads);
    if (config.forward.batched)
      shape.insert(shape.begin(), sizes.batch);
    return mha::Array::of(shape, from.values);
  }

  mha::Array projectOut(Heads &attended) {
    const int64_t embedDim = config.module.embedDim;
    mha::Array out = mha::Array::filled(outShape());
    for (int64_t n = 0; n < sizes.batch; ++n)
      for (int64_t i = 0; i < sizes.target; ++i)
        for (int64_t e = 0; e < embedDim; ++e) {
          double sum = config.module.bias ? element("out_proj.bias", {e}) : 0;
          for (int64_t c = 0; c < embedDim; ++c)
            sum += attended.at(n, c / depth, i, c % depth) * element("out_proj.weight", {e, c});
          *out.find(row(n, i, e)) = sum;
        }
    return out;
  }

  std::vector<int64_t> outShape() {
    const int64_t embedDim = config.module.embedDim;
    if (!config.forward.batched)
      return {sizes.target, embedDim};
    if (config.module.batchFirst)
      return {sizes.batch, sizes.target, embedDim};
    return {sizes.target, sizes.batch, embedDim};
  }

  const Config &config;
  const Sizes sizes;
  const Tensors &tensors;
  const Score &score;
  const int64_t heads, depth, keys;
};
} // namespace

std::vector<mha::Array> plainAttention(const Config &config, const Sizes &sizes,
                                       const Tensors &tensors, const Score &score) {
  return Plain(config, sizes, tensors, score).run();
}

} // namespace attune::test
