//===- PlainAttention.cpp - Attention as plain loops ----------------------===//
#include "PlainAttention.h"

#include <cmath>
#include <limits>

namespace attune::test {

namespace {
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
  Plain(const Config &config, const Sizes &sizes, const Tensors &tensors)
      : config(config), sizes(sizes), tensors(tensors), heads(config.module.numHeads),
        depth(config.module.headDim) {}

  mha::Array run() {
    const char *key = config.forward.inputs == Inputs::Self ? "query" : "key";
    const char *value = config.forward.inputs == Inputs::Separate ? "value" : key;
    Heads q = operand("query", sizes.target, 0), k = operand(key, sizes.source, 1);
    Heads v = operand(value, sizes.source, 2);
    Heads attended(sizes.batch, heads, sizes.target, depth);
    for (int64_t n = 0; n < sizes.batch; ++n)
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < sizes.target; ++i)
          attend(q, k, v, attended, n, h, i);
    return config.op == Op::Attention ? asInterface(attended) : projectOut(attended);
  }

private:
  double element(const std::string &name, std::vector<int64_t> indices) {
    return *tensors.at(name).find(indices);
  }

  /// Where row t of batch n stands: module tensors as (t, n), (n, t) or (t).
  std::vector<int64_t> row(int64_t n, int64_t t, int64_t column) {
    if (!config.forward.batched)
      return {t, column};
    if (config.module.batchFirst)
      return {n, t, column};
    return {t, n, column};
  }

  /// Query, key or value as heads; part 0, 1, 2 says which rows of in_proj belong to it.
  Heads operand(const std::string &name, int64_t length, int64_t part) {
    Heads result(sizes.batch, heads, length, depth);
    for (int64_t n = 0; n < sizes.batch; ++n)
      for (int64_t t = 0; t < length; ++t)
        for (int64_t h = 0; h < heads; ++h)
          for (int64_t d = 0; d < depth; ++d)
            result.at(n, h, t, d) = config.op == Op::Attention ? headElement(name, n, h, t, d)
                                                               : projected(name, n, h, t, d, part);
    return result;
  }

  double headElement(const std::string &name, int64_t n, int64_t h, int64_t t, int64_t d) {
    return config.forward.batched ? element(name, {n, h, t, d}) : element(name, {h, t, d});
  }

  double projected(const std::string &name, int64_t n, int64_t h, int64_t t, int64_t d,
                   int64_t part) {
    const int64_t weightRow = part * config.module.embedDim + h * depth + d;
    double sum = config.module.bias ? element("in_proj_bias", {weightRow}) : 0;
    for (int64_t e = 0; e < config.module.embedDim; ++e)
      sum += element(name, row(n, t, e)) * element("in_proj_weight", {weightRow, e});
    return sum;
  }

  double maskedScore(double score, int64_t i, int64_t j) {
    const double hidden = -std::numeric_limits<double>::infinity();
    if (config.forward.isCausal && j > i)
      return hidden;
    if (config.forward.attnMask == AttnMask::Bool2d)
      return element("attn_mask", {i, j}) != 0 ? hidden : score;
    if (config.forward.attnMask == AttnMask::Float2d)
      return score + element("attn_mask", {i, j});
    return score;
  }

  void attend(Heads &q, Heads &k, Heads &v, Heads &out, int64_t n, int64_t h, int64_t i) {
    std::vector<double> weights(sizes.source);
    double maximum = -std::numeric_limits<double>::infinity(), total = 0;
    for (int64_t j = 0; j < sizes.source; ++j) {
      double dot = 0;
      for (int64_t d = 0; d < depth; ++d)
        dot += q.at(n, h, i, d) * k.at(n, h, j, d);
      weights[j] = maskedScore(dot * config.scale(), i, j);
      maximum = std::max(maximum, weights[j]);
    }
    const bool masked = std::isinf(maximum);
    for (double &weight : weights)
      total += weight = masked ? 0 : std::exp(weight - maximum);
    for (int64_t d = 0; d < depth; ++d) {
      double sum = 0;
      for (int64_t j = 0; j < sizes.source; ++j)
        sum += weights[j] / total * v.at(n, h, j, d);
      if (masked)
        sum = config.fullyMaskedRows == FullyMaskedRows::Nan ? std::nan("") : 0;
      out.at(n, h, i, d) = sum;
    }
  }

  mha::Array asInterface(Heads &attended) {
    std::vector<int64_t> shape = {sizes.batch, heads, sizes.target, depth};
    if (!config.forward.batched)
      shape.erase(shape.begin());
    return mha::Array::of(shape, attended.values);
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
  const int64_t heads, depth;
};
} // namespace

mha::Array plainAttention(const Config &config, const Sizes &sizes, const Tensors &tensors) {
  return Plain(config, sizes, tensors).run();
}

} // namespace attune::test
