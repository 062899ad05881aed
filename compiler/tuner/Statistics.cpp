//===- Statistics.cpp - What repeated measurements say --------------------===//
#include "tuner/Statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace attune {
namespace {

/// How many ratios at either end lie outside of the interval of the median: the most whose share in
/// Binomial(count, 1/2) is at most 2.5 %; -1 if there is none.
int outside(size_t count) {
  double probability = std::pow(0.5, double(count)), sum = 0;
  int k = -1;
  for (size_t drawn = 0; drawn <= count; ++drawn) {
    sum += probability;
    if (sum > 0.025)
      return k;
    k = int(drawn);
    probability *= double(count - drawn) / double(drawn + 1);
  }
  return k;
}

} // namespace

double medianOf(std::vector<double> values) {
  auto middle = values.begin() + std::ptrdiff_t((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

RatioInterval pairedRatio(const std::vector<double> &a, const std::vector<double> &b) {
  std::vector<double> ratios;
  for (size_t k = 0; k < a.size(); ++k)
    ratios.push_back(a[k] / b[k]);
  std::sort(ratios.begin(), ratios.end());
  const size_t skipped = size_t(std::max(outside(ratios.size()), 0));
  return {medianOf(ratios), ratios[skipped], ratios[ratios.size() - 1 - skipped]};
}

double noiseOf(const RatioInterval &equals) {
  return std::max(std::abs(equals.low - 1), std::abs(equals.high - 1));
}

bool isBeyondNoise(const RatioInterval &speedup, double noise) {
  return speedup.low > 1 && speedup.median > 1 + noise;
}

} // namespace attune
