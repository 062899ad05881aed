//===- Statistics.h - What repeated measurements say ------------*- C++ -*-===//
#ifndef ATTUNE_TUNER_STATISTICS_H
#define ATTUNE_TUNER_STATISTICS_H

#include <vector>

namespace attune {

/// The median; the lower one of two. Expects at least one value.
double medianOf(std::vector<double> values);

/// The median of paired ratios with the interval that holds it in 95 % of all cases, whatever the
/// distribution of the ratios is.
struct RatioInterval {
  double median = 1, low = 1, high = 1;
};

/// Of a[k] / b[k]; both series have the same number of entries, at least one. With fewer than six
/// pairs there is no such interval, and it reaches from the smallest to the largest ratio.
RatioInterval pairedRatio(const std::vector<double> &a, const std::vector<double> &b);

/// Whether a speedup is more than noise: the whole interval is above 1, and so is what remains of
/// it after the deviation that two measurements of the same code show.
bool isBeyondNoise(const RatioInterval &speedup, double noise);

/// How far the interval of a ratio of equals reaches from 1: 0.01 is 1 %.
double noiseOf(const RatioInterval &equals);

} // namespace attune

#endif
