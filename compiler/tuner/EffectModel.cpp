//===- EffectModel.cpp - What measurements say of single values -----------===//
#include "tuner/EffectModel.h"

#include <algorithm>
#include <cmath>

namespace attune {

namespace {
constexpr int kRounds = 30;    ///< of coordinate descent, which converges much sooner
constexpr double kCaution = 3; ///< samples that say a value has no effect
constexpr double kLeastSpread = 1e-6;
} // namespace

EffectModel::EffectModel(const SearchSpace &space, const std::vector<EffectSample> &samples) {
  for (const SearchSpace::Axis &axis : space.axes())
    effects.emplace_back(axis.values.size(), 0.0);
  if (samples.empty())
    return;
  fitSlope(samples);
  for (int round = 0; round < kRounds; ++round) {
    double sum = 0;
    for (const EffectSample &sample : samples)
      sum += std::log(sample.milliseconds) - slope * std::log(sample.predicted) -
             sumOfEffects(sample.point);
    constant = sum / double(samples.size());
    for (size_t axis = 0; axis < effects.size(); ++axis) {
      std::vector<double> rest(effects[axis].size()), weight(effects[axis].size(), kCaution);
      for (const EffectSample &sample : samples) {
        const int value = sample.point[axis];
        const double explained = std::log(expect(sample.point, sample.predicted));
        rest[value] += std::log(sample.milliseconds) - explained + effects[axis][value];
        weight[value] += 1;
      }
      for (size_t value = 0; value < rest.size(); ++value)
        effects[axis][value] = rest[value] / weight[value];
    }
  }
}

/// How far the estimates are right about differences: between not at all and fully.
void EffectModel::fitSlope(const std::vector<EffectSample> &samples) {
  double meanX = 0, meanY = 0, xx = 0, xy = 0;
  for (const EffectSample &sample : samples) {
    meanX += std::log(sample.predicted) / double(samples.size());
    meanY += std::log(sample.milliseconds) / double(samples.size());
  }
  for (const EffectSample &sample : samples) {
    const double x = std::log(sample.predicted) - meanX;
    xx += x * x;
    xy += x * (std::log(sample.milliseconds) - meanY);
  }
  if (xx > kLeastSpread)
    slope = std::clamp(xy / xx, 0.0, 1.0);
}

double EffectModel::sumOfEffects(const SpacePoint &point) const {
  double sum = 0;
  for (size_t axis = 0; axis < effects.size(); ++axis)
    sum += effects[axis][point[axis]];
  return sum;
}

double EffectModel::expect(const SpacePoint &point, double predicted) const {
  return std::exp(constant + slope * std::log(predicted) + sumOfEffects(point));
}

} // namespace attune
