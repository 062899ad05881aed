//===- Reference.cpp - Attention in plain loops ---------------------------===//
#include "Reference.h"

#include <cmath>
#include <limits>

namespace attune::conformance {

namespace {
/// One head's worth of a tensor: row i, column d at data[first + i * rowStride + d].
template <typename T> struct Rows {
  const T *data; ///< null when there are no rows
  int64_t first, rowStride;

  const T *row(int64_t i) const { return data + first + i * rowStride; }
};

/// Which keys a query row sees, and what is added to its scores.
struct Mask {
  const HostTensor *tensor;
  bool causal, isFloat;
  int64_t source;

  explicit Mask(const Problem &problem)
      : tensor(problem.input("attn_mask")), causal(problem.config.forward.isCausal),
        isFloat(tensor && tensor->dtype == ATTUNE_FLOAT32), source(problem.sizes.source) {}

  bool hides(int64_t i, int64_t j) const {
    return (causal && j > i) || (tensor && !isFloat && tensor->values[i * source + j] != 0);
  }
  float added(int64_t i, int64_t j) const { return isFloat ? tensor->values[i * source + j] : 0; }
};

/// The larger one; NaN if either is.
template <typename T> T maximum(T a, T b) { return std::isnan(a) || a > b ? a : b; }

template <typename T> class Core {
public:
  Core(const Problem &problem, MaskedKeys masked)
      : mask(problem), masked(masked), source(problem.sizes.source),
        headDim(problem.config.module.headDim), scale(static_cast<T>(problem.config.scale())),
        nanRows(problem.config.fullyMaskedRows == FullyMaskedRows::Nan) {}

  /// One row of one head.
  void row(int64_t i, const T *query, Rows<T> key, Rows<T> value, T *out) const {
    const std::vector<T> scores = scoresOf(i, query, key);
    T most = -std::numeric_limits<T>::infinity();
    for (T score : scores)
      most = maximum(most, score);
    const bool nothingToSee = most == -std::numeric_limits<T>::infinity();
    for (int64_t d = 0; d < headDim; ++d)
      out[d] = nothingToSee && nanRows ? std::numeric_limits<T>::quiet_NaN() : T(0);
    if (!nothingToSee)
      weigh(i, scores, most, value, out);
  }

  /// What errors of the scores, in units of their rounding, do to a row: the sum over keys of
  /// weight * |value - result| * error.
  void roundingOfRow(int64_t i, const T *query, Rows<T> key, Rows<T> value, T *out) const {
    std::vector<T> result(headDim), weights = scoresOf(i, query, key);
    row(i, query, key, value, result.data());
    T most = -std::numeric_limits<T>::infinity(), sum = 0;
    for (T score : weights)
      most = maximum(most, score);
    for (T &weight : weights)
      sum += weight = std::exp(weight - most);
    for (int64_t d = 0; d < headDim; ++d)
      out[d] = 0;
    for (int64_t j = 0; j < source; ++j) {
      T products = 0;
      for (int64_t d = 0; d < headDim; ++d)
        products += std::abs(query[d] * key.row(j)[d] * scale);
      for (int64_t d = 0; d < headDim; ++d)
        out[d] += weights[j] / sum * std::abs(value.row(j)[d] - result[d]) * products;
    }
  }

private:
  /// The scores of a row; -infinity for keys that it does not see.
  std::vector<T> scoresOf(int64_t i, const T *query, Rows<T> key) const {
    std::vector<T> scores(source, -std::numeric_limits<T>::infinity());
    for (int64_t j = 0; j < source; ++j) {
      if (mask.hides(i, j))
        continue;
      T dot = 0;
      for (int64_t d = 0; d < headDim; ++d)
        dot += query[d] * key.row(j)[d];
      scores[j] = dot * scale + static_cast<T>(mask.added(i, j));
    }
    return scores;
  }

  void weigh(int64_t i, const std::vector<T> &scores, T most, Rows<T> value, T *out) const {
    T sum = 0;
    for (int64_t j = 0; j < source; ++j) {
      if (masked == MaskedKeys::Absent && mask.hides(i, j))
        continue;
      const T weight = std::exp(scores[j] - most);
      sum += weight;
      for (int64_t d = 0; d < headDim; ++d)
        out[d] += weight * value.row(j)[d];
    }
    for (int64_t d = 0; d < headDim; ++d)
      out[d] /= sum;
  }

  Mask mask;
  MaskedKeys masked;
  int64_t source, headDim;
  T scale;
  bool nanRows;
};

template <typename T> std::vector<T> converted(const HostTensor &tensor) {
  return std::vector<T>(tensor.values.begin(), tensor.values.end());
}

/// Tensors that forward.inputs makes the same are there once.
const HostTensor &activation(const Problem &problem, const char *name) {
  if (const HostTensor *tensor = problem.input(name))
    return *tensor;
  if (problem.config.forward.inputs == Inputs::SharedKeyValue)
    return *problem.input("key");
  return *problem.input("query");
}

/// `row` computes one row of one head: Core::row or Core::roundingOfRow.
template <typename T, typename RowFunction>
std::vector<T> attentionReference(const Problem &problem, RowFunction row) {
  const auto [batch, target, source] = problem.sizes;
  const int64_t heads = problem.config.module.numHeads, depth = problem.config.module.headDim;
  const std::vector<T> query = converted<T>(activation(problem, "query"));
  const std::vector<T> key = converted<T>(activation(problem, "key"));
  const std::vector<T> value = converted<T>(activation(problem, "value"));
  std::vector<T> out(batch * heads * target * depth);
  for (int64_t head = 0; head < batch * heads; ++head) {
    const int64_t keys = head * source * depth;
    for (int64_t i = 0; i < target; ++i) {
      const int64_t at = (head * target + i) * depth;
      row(i, query.data() + at, Rows<T>{key.data(), keys, depth},
          Rows<T>{value.data(), keys, depth}, out.data() + at);
    }
  }
  return out;
}

/// x . weight^T + bias for all rows of x; weight rows [first, first + width).
template <typename T>
std::vector<T> projected(const std::vector<T> &x, int64_t width, const HostTensor &weight,
                         const HostTensor *bias, int64_t first) {
  const int64_t rows = static_cast<int64_t>(x.size()) / width;
  const std::vector<T> matrix = converted<T>(weight);
  std::vector<T> out(rows * width);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < width; ++c) {
      T sum = 0;
      for (int64_t k = 0; k < width; ++k)
        sum += x[r * width + k] * matrix[(first + c) * width + k];
      out[r * width + c] = bias ? sum + static_cast<T>(bias->values[first + c]) : sum;
    }
  return out;
}

/// The module without its output projection.
template <typename T, typename RowFunction>
std::vector<T> attendedReference(const Problem &problem, RowFunction row) {
  const auto [batch, target, source] = problem.sizes;
  const int64_t width = problem.config.module.embedDim, depth = problem.config.module.headDim;
  const HostTensor &weight = *problem.parameter("in_proj_weight");
  const HostTensor *bias = problem.parameter("in_proj_bias");
  auto project = [&](const char *name, int64_t first) {
    return projected(converted<T>(activation(problem, name)), width, weight, bias, first);
  };
  const std::vector<T> query = project("query", 0), key = project("key", width),
                       value = project("value", 2 * width);
  const bool batchOuter = batchDimension(problem.config) != 1;
  std::vector<T> attended(batch * target * width);
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t i = 0; i < target; ++i)
      for (int64_t column = 0; column < width; column += depth) {
        const int64_t at = (batchOuter ? n * target + i : i * batch + n) * width + column;
        const int64_t keys = (batchOuter ? n * source : n) * width + column;
        const int64_t stride = batchOuter ? width : batch * width;
        row(i, query.data() + at, Rows<T>{key.data(), keys, stride},
            Rows<T>{value.data(), keys, stride}, attended.data() + at);
      }
  return attended;
}
} // namespace

template <typename T> std::vector<T> reference(const Problem &problem, MaskedKeys masked) {
  const Core<T> core(problem, masked);
  auto row = [&](auto... arguments) { core.row(arguments...); };
  if (problem.config.op == Op::Attention)
    return attentionReference<T>(problem, row);
  return projected(attendedReference<T>(problem, row), problem.config.module.embedDim,
                   *problem.parameter("out_proj.weight"), problem.parameter("out_proj.bias"), 0);
}

template std::vector<float> reference(const Problem &, MaskedKeys);
template std::vector<double> reference(const Problem &, MaskedKeys);

std::vector<double> scoreRounding(const Problem &problem) {
  const Core<double> core(problem, MaskedKeys::Absent);
  auto row = [&](auto... arguments) { core.roundingOfRow(arguments...); };
  const bool isModule = problem.config.op == Op::MultiheadAttention;
  std::vector<double> moved =
      isModule ? attendedReference<double>(problem, row) : attentionReference<double>(problem, row);
  double unit = 0x1p-23;
  if (isModule) {
    HostTensor weight = *problem.parameter("out_proj.weight");
    for (float &value : weight.values)
      value = std::abs(value);
    moved = projected(moved, problem.config.module.embedDim, weight, nullptr, 0);
    unit *= 1 + std::sqrt(problem.config.module.embedDim);
  }
  for (double &value : moved)
    value = std::isnan(value) ? 0 : value * unit;
  return moved;
}

} // namespace attune::conformance
