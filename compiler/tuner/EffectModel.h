//===- EffectModel.h - What measurements say of single values ---*- C++ -*-===//
#ifndef ATTUNE_TUNER_EFFECTMODEL_H
#define ATTUNE_TUNER_EFFECTMODEL_H

#include "tuner/SearchSpace.h"

namespace attune {

/// A measured point with the cost model's estimate.
struct EffectSample {
  SpacePoint point;
  double predicted = 0;    ///< cycles
  double milliseconds = 0; ///< measured
};

/// Corrects the cost model by what was measured: the logarithm of a time is the one of the estimate
/// times a slope, and an effect of each value on each axis, which few samples pull but a little.
class EffectModel {
public:
  EffectModel(const SearchSpace &space, const std::vector<EffectSample> &samples);

  /// The expected time in milliseconds. Without samples an arbitrary multiple of the estimate.
  double expect(const SpacePoint &point, double predicted) const;

private:
  double sumOfEffects(const SpacePoint &point) const;
  void fitSlope(const std::vector<EffectSample> &samples);

  double constant = 0, slope = 1;
  std::vector<std::vector<double>> effects; ///< by axis and value
};

} // namespace attune

#endif
