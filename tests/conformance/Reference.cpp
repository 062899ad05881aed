//===- Reference.cpp - Attention in plain loops ---------------------------===//
#include "Reference.h"

#include "AttentionRow.h"
#include <algorithm>
#include <cmath>

namespace attune::conformance {

namespace {
/// x . weight^T + bias for all rows of x; weight rows [first, first + columns).
template <typename T>
std::vector<T> projected(const std::vector<T> &x, int64_t columns, const HostTensor &weight,
                         const HostTensor *bias, int64_t first) {
  const int64_t depth = weight.sizes[1], rows = static_cast<int64_t>(x.size()) / depth;
  constexpr int64_t block = 8; // rows at a time, to read the weight less often
  std::vector<T> out(rows * columns), turned(depth * block);
  for (int64_t begin = 0; begin < rows; begin += block) {
    const int64_t count = std::min(block, rows - begin);
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t r = 0; r < count; ++r)
        turned[k * block + r] = x[(begin + r) * depth + k];
    for (int64_t c = 0; c < columns; ++c) {
      const float *row = weight.values.data() + (first + c) * depth;
      T sums[block] = {};
      for (int64_t k = 0; k < depth; ++k)
        for (int64_t r = 0; r < block; ++r)
          sums[r] += turned[k * block + r] * static_cast<T>(row[k]);
      for (int64_t r = 0; r < count; ++r)
        out[(begin + r) * columns + c] =
            bias ? sums[r] + static_cast<T>(bias->values[first + c]) : sums[r];
    }
  }
  return out;
}

/// Where the element (n, h, i, 0) of an activation lies.
struct Layout {
  int64_t batchStride, headStride, rowStride;

  int64_t at(int64_t n, int64_t h, int64_t i) const {
    return n * batchStride + h * headStride + i * rowStride;
  }
};

/// (N, H, length, D) of op attention; (N, length, E) or (length, N, E) of a module.
Layout layoutOf(const Problem &problem, int64_t length) {
  const ModuleConfig &module = problem.config.module;
  const int64_t depth = module.headDim, width = module.numHeads * depth;
  if (problem.config.op == Op::Attention)
    return {length * width, length * depth, depth};
  if (batchDimension(problem.config) == 1)
    return {width, depth, problem.sizes.batch * width};
  return {length * width, depth, width};
}

/// Query, key and value behind their projections, and the rows appended to key and value.
template <typename T> struct Projected {
  std::vector<T> query, key, value;
  std::vector<std::vector<T>> appendedKeys = {}, appendedValues = {}; ///< [H * D] each
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

/// The naive computation keeps what it stores in the configuration's coarsest dtype; the exact one
/// does not round.
void store(std::vector<float> &values, const Problem &problem) {
  constexpr attune_dtype dtypes[] = {ATTUNE_FLOAT32, ATTUNE_BFLOAT16, ATTUNE_FLOAT16};
  const attune_dtype dtype = dtypes[static_cast<size_t>(problem.config.coarsestDtype())];
  if (dtype != ATTUNE_FLOAT32)
    for (float &value : values)
      value = roundedTo(dtype, value);
}
void store(std::vector<double> &, const Problem &) {}

/// The problem with what is multiplied in the dtype of products: what the naive computation takes.
Problem stored(const Problem &problem) {
  Problem result = problem;
  for (HostTensor &tensor : result.inputs)
    if (tensor.name == "query" || tensor.name == "key" || tensor.name == "value")
      store(tensor.values, problem);
  for (HostTensor &tensor : result.parameters)
    store(tensor.values, problem);
  return result;
}

template <typename T> Projected<T> projectionsOf(const Problem &problem) {
  if (problem.config.op == Op::Attention)
    return {converted<T>(activation(problem, "query")), converted<T>(activation(problem, "key")),
            converted<T>(activation(problem, "value"))};
  const ModuleConfig &module = problem.config.module;
  const int64_t width = module.embedDim;
  const HostTensor *packed = problem.parameter("in_proj_weight");
  const HostTensor *bias = problem.parameter("in_proj_bias");
  auto project = [&](const char *name, const char *weightName, int64_t part) {
    const std::vector<T> x = converted<T>(activation(problem, name));
    if (packed)
      return projected(x, width, *packed, bias, part * width);
    HostTensor partOfBias;
    if (bias)
      partOfBias.values.assign(bias->values.begin() + part * width,
                               bias->values.begin() + (part + 1) * width);
    return projected(x, width, *problem.parameter(weightName), bias ? &partOfBias : nullptr, 0);
  };
  Projected<T> result{project("query", "q_proj_weight", 0), project("key", "k_proj_weight", 1),
                      project("value", "v_proj_weight", 2)};
  for (std::vector<T> *rows : {&result.query, &result.key, &result.value})
    store(*rows, problem);
  if (module.addBiasKv) {
    result.appendedKeys.push_back(converted<T>(*problem.parameter("bias_k")));
    result.appendedValues.push_back(converted<T>(*problem.parameter("bias_v")));
  }
  if (module.addZeroAttn) {
    result.appendedKeys.emplace_back(width);
    result.appendedValues.emplace_back(width);
  }
  return result;
}

/// Keys and values of one head, appended rows last.
template <typename T>
HeadData<T> headOf(const Problem &problem, const Projected<T> &data, int64_t n, int64_t h) {
  const int64_t depth = problem.config.module.headDim, source = problem.sizes.source;
  const Layout layout = layoutOf(problem, source);
  HeadData<T> head{n, h, source + static_cast<int64_t>(data.appendedKeys.size())};
  head.keys.resize(depth * head.columns);
  head.values.resize(head.columns * depth);
  for (int64_t j = 0; j < head.columns; ++j) {
    const bool given = j < source;
    const T *key = given ? data.key.data() + layout.at(n, h, j)
                         : data.appendedKeys[j - source].data() + h * depth;
    const T *value = given ? data.value.data() + layout.at(n, h, j)
                           : data.appendedValues[j - source].data() + h * depth;
    for (int64_t d = 0; d < depth; ++d) {
      head.keys[d * head.columns + j] = key[d];
      head.values[j * depth + d] = value[d];
    }
  }
  return head;
}

/// The core between the projections. `row` computes one row of one head.
template <typename T, typename RowFunction>
Results<T> attended(const Problem &problem, RowFunction row) {
  const Projected<T> data = projectionsOf<T>(problem);
  const auto [batch, target, source] = problem.sizes;
  const int64_t heads = problem.config.module.numHeads;
  const int64_t columns = source + static_cast<int64_t>(data.appendedKeys.size());
  const ForwardConfig &forward = problem.config.forward;
  const int64_t planes = forward.averageAttnWeights ? 1 : heads;
  const Layout layout = layoutOf(problem, target);
  Results<T> results;
  results.out.resize(data.query.size());
  if (forward.needWeights)
    results.weights.resize(batch * planes * target * columns);
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t h = 0; h < heads; ++h) {
      const HeadData<T> head = headOf(problem, data, n, h);
      for (int64_t i = 0; i < target; ++i) {
        const int64_t at = layout.at(n, h, i);
        const RowResult<T> result = row(head, i, data.query.data() + at);
        std::copy(result.out.begin(), result.out.end(), results.out.begin() + at);
        const int64_t plane = n * planes + (planes == 1 ? 0 : h);
        for (int64_t j = 0; forward.needWeights && j < columns; ++j)
          results.weights[(plane * target + i) * columns + j] += result.weights[j];
      }
    }
  if (planes == 1)
    for (T &weight : results.weights)
      weight /= static_cast<T>(heads);
  return results;
}
} // namespace

template <typename T> Results<T> reference(const Problem &given, MaskedKeys masked) {
  const Problem problem = std::is_same_v<T, float> ? stored(given) : given;
  const AttentionRows<T> rows(problem, masked);
  Results<T> results = attended<T>(problem, [&](const auto &head, int64_t i, const T *query) {
    return rows.row(head, i, query);
  });
  store(results.out, problem);
  store(results.weights, problem);
  if (problem.config.op == Op::MultiheadAttention) {
    results.out =
        projected(results.out, problem.config.module.embedDim,
                  *problem.parameter("out_proj.weight"), problem.parameter("out_proj.bias"), 0);
    store(results.out, problem);
  }
  return results;
}

template Results<float> reference(const Problem &, MaskedKeys);
template Results<double> reference(const Problem &, MaskedKeys);

template <typename T>
void forgiveSpreadNan(const Problem &problem, Results<T> &found, const Results<double> &exact) {
  const Results<double> spread = reference<double>(problem, MaskedKeys::TimesZero);
  auto forgive = [](std::vector<T> &found, const std::vector<double> &exact,
                    const std::vector<double> &spread) {
    for (size_t k = 0; k < std::min(found.size(), exact.size()); ++k)
      if (std::isnan(found[k]) && std::isnan(spread[k]))
        found[k] = static_cast<T>(exact[k]);
  };
  forgive(found.out, exact.out, spread.out);
  forgive(found.weights, exact.weights, spread.weights);
}

template void forgiveSpreadNan(const Problem &, Results<float> &, const Results<double> &);
template void forgiveSpreadNan(const Problem &, Results<double> &, const Results<double> &);

Results<double> scoreRounding(const Problem &problem) {
  const AttentionRows<double> rows(problem);
  const bool isModule = problem.config.op == Op::MultiheadAttention;
  const double unit = 0x1p-23 * (isModule ? 1 + std::sqrt(problem.config.module.embedDim) : 1);
  Results<double> moved =
      attended<double>(problem, [&](const auto &head, int64_t i, const double *query) {
        return rows.movement(head, i, query, unit);
      });
  if (isModule) {
    HostTensor weight = *problem.parameter("out_proj.weight");
    for (float &value : weight.values)
      value = std::abs(value);
    moved.out = projected(moved.out, problem.config.module.embedDim, weight, nullptr, 0);
  }
  for (std::vector<double> *values : {&moved.out, &moved.weights})
    for (double &value : *values)
      value = std::isnan(value) ? 0 : value;
  return moved;
}

} // namespace attune::conformance
