//===- AttentionRow.cpp - One query row of one head, in plain loops -------===//
#include "AttentionRow.h"

#include <cmath>
#include <limits>

namespace attune::conformance {

namespace {
constexpr float infinity = std::numeric_limits<float>::infinity();

/// The larger one; NaN if either is.
template <typename T> T maximum(T a, T b) { return std::isnan(a) || a > b ? a : b; }

/// A mask of this size swallows the score that it is added to, in float32. That is what the sum
/// means, so the truth rounds as well.
constexpr float swallowing = 1e8f;

template <typename T> T added(T score, float mask) {
  const T sum = score + static_cast<T>(mask);
  return std::abs(mask) >= swallowing ? static_cast<T>(static_cast<float>(sum)) : sum;
}

bool isFloat(const HostTensor *tensor) { return tensor && !tensor->isBool(); }
} // namespace

Masks::Masks(const Problem &problem)
    : attn(problem.input("attn_mask")), padding(problem.input("key_padding_mask")),
      causal(problem.config.forward.isCausal), attnIsFloat(isFloat(attn)),
      paddingIsFloat(isFloat(padding)), isPerHead(attn && attn->sizes.size() == 3),
      heads(problem.config.module.numHeads), target(problem.sizes.target),
      source(problem.sizes.source) {}

float Masks::attnElement(int64_t n, int64_t h, int64_t i, int64_t j) const {
  const int64_t plane = isPerHead ? n * heads + h : 0;
  return attn->values[(plane * target + i) * source + j];
}

bool Masks::pads(int64_t n, int64_t j) const {
  if (!padding)
    return false;
  const float element = padding->values[n * source + j];
  return paddingIsFloat ? element == -infinity : element != 0;
}

bool Masks::hides(int64_t n, int64_t h, int64_t i, int64_t j) const {
  return (causal && j > i) || pads(n, j) || (attn && !attnIsFloat && attnElement(n, h, i, j) != 0);
}

template <typename T> T Masks::masked(T score, int64_t n, int64_t h, int64_t i, int64_t j) const {
  if (attnIsFloat)
    score = added(score, attnElement(n, h, i, j));
  return paddingIsFloat ? added(score, padding->values[n * source + j]) : score;
}

template <typename T>
AttentionRows<T>::AttentionRows(const Problem &problem, MaskedKeys masked)
    : masks(problem), maskedKeys(masked),
      function(problem.config.score ? &scoreFunction(*problem.config.score) : nullptr),
      target(problem.sizes.target), source(problem.sizes.source),
      heads(problem.config.module.numHeads), depth(problem.config.module.headDim),
      scale(static_cast<T>(problem.config.scale())),
      nanRows(problem.config.fullyMaskedRows == FullyMaskedRows::Nan) {}

template <typename T>
T AttentionRows<T>::shaped(T scaled, const HeadData<T> &head, int64_t i, int64_t j) const {
  if (function) {
    const ScorePlace<T> place{static_cast<T>(head.n), static_cast<T>(head.h),
                              static_cast<T>(i),      static_cast<T>(j),
                              static_cast<T>(target), static_cast<T>(source),
                              static_cast<T>(heads),  static_cast<T>(depth)};
    scaled = (*function)(scaled, place);
  }
  return masks.masked(scaled, head.n, head.h, i, j);
}

template <typename T>
std::vector<T> AttentionRows<T>::scores(const HeadData<T> &head, int64_t i, const T *query,
                                        std::vector<T> *moved, T unit) const {
  std::vector<T> dots(head.columns, 0), magnitudes(moved ? head.columns : 0, 0);
  for (int64_t d = 0; d < depth; ++d)
    for (int64_t j = 0; j < head.columns; ++j)
      dots[j] += query[d] * head.keys[d * head.columns + j];
  for (int64_t d = 0; moved && d < depth; ++d)
    for (int64_t j = 0; j < head.columns; ++j)
      magnitudes[j] += std::abs(query[d] * head.keys[d * head.columns + j]);
  for (int64_t j = 0; j < head.columns; ++j) {
    const T scaled = dots[j] * scale;
    const bool given = j < source;
    dots[j] = !given                              ? scaled
              : masks.hides(head.n, head.h, i, j) ? -std::numeric_limits<T>::infinity()
                                                  : shaped(scaled, head, i, j);
    if (!moved)
      continue;
    const T step = magnitudes[j] * std::abs(scale) * unit;
    (*moved)[j] = !given ? step
                         : maximum(std::abs(shaped(scaled + step, head, i, j) - dots[j]),
                                   std::abs(shaped(scaled - step, head, i, j) - dots[j]));
  }
  return dots;
}

template <typename T>
bool AttentionRows<T>::isAbsent(const HeadData<T> &head, int64_t j, T score) const {
  if (j >= source)
    return false;
  return maskedKeys == MaskedKeys::Absent ? score == -std::numeric_limits<T>::infinity()
                                          : masks.pads(head.n, j);
}

template <typename T>
RowResult<T> AttentionRows<T>::weighted(const HeadData<T> &head,
                                        const std::vector<T> &scores) const {
  T most = -std::numeric_limits<T>::infinity();
  for (T score : scores)
    most = maximum(most, score);
  const bool nothingToSee = most == -std::numeric_limits<T>::infinity();
  const T nothing = nothingToSee && nanRows ? std::numeric_limits<T>::quiet_NaN() : T(0);
  RowResult<T> result{std::vector<T>(depth, nothing), std::vector<T>(head.columns, nothing)};
  if (nothingToSee)
    return result;
  T sum = 0;
  for (int64_t j = 0; j < head.columns; ++j) {
    if (isAbsent(head, j, scores[j]))
      continue;
    const T weight = std::exp(scores[j] - most);
    sum += result.weights[j] = weight;
    for (int64_t d = 0; d < depth; ++d)
      result.out[d] += weight * head.values[j * depth + d];
  }
  for (T &value : result.out)
    value /= sum;
  // In a row of NaN even a padded key has the weight NaN in PyTorch.
  for (int64_t j = 0; j < head.columns; ++j)
    if (!isAbsent(head, j, scores[j]) || (maskedKeys == MaskedKeys::TimesZero && std::isnan(sum)))
      result.weights[j] /= sum;
  return result;
}

template <typename T>
RowResult<T> AttentionRows<T>::row(const HeadData<T> &head, int64_t i, const T *query) const {
  return weighted(head, scores(head, i, query));
}

template <typename T>
RowResult<T> AttentionRows<T>::movement(const HeadData<T> &head, int64_t i, const T *query,
                                        T unit) const {
  std::vector<T> moved(head.columns);
  const RowResult<T> result = weighted(head, scores(head, i, query, &moved, unit));
  RowResult<T> movement{std::vector<T>(depth, 0), std::vector<T>(head.columns, 0)};
  T mean = 0;
  for (int64_t j = 0; j < head.columns; ++j) {
    if (result.weights[j] == 0)
      continue; // padded keys may hold anything
    const T share = result.weights[j] * moved[j];
    mean += share;
    movement.weights[j] = share;
    for (int64_t d = 0; d < depth; ++d)
      movement.out[d] += share * std::abs(head.values[j * depth + d] - result.out[d]);
  }
  for (int64_t j = 0; j < head.columns; ++j)
    movement.weights[j] += result.weights[j] * mean;
  return movement;
}

template class AttentionRows<float>;
template class AttentionRows<double>;

} // namespace attune::conformance
