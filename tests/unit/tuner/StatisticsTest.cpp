//===- StatisticsTest.cpp - What repeated measurements say ----------------===//
#include "tuner/Statistics.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace attune;

namespace {

std::vector<double> noisy(double time, int count, std::mt19937 &generator) {
  std::lognormal_distribution<double> noise(0, 0.05);
  std::vector<double> times;
  for (int k = 0; k < count; ++k)
    times.push_back(time * noise(generator));
  return times;
}

TEST(Statistics, MedianIsTheMiddle) {
  EXPECT_EQ(medianOf({3}), 3);
  EXPECT_EQ(medianOf({5, 1, 3}), 3);
  EXPECT_EQ(medianOf({4, 1, 3, 2}), 2);
}

TEST(Statistics, IntervalOfSixPairsIsTheirRange) {
  const std::vector<double> a{2, 4, 6, 8, 10, 12}, ones(6, 1);
  RatioInterval interval = pairedRatio(a, ones);
  EXPECT_EQ(interval.low, 2);
  EXPECT_EQ(interval.median, 6);
  EXPECT_EQ(interval.high, 12);
}

TEST(Statistics, IntervalHoldsTheTrueRatioNearly95PercentOfTheTime) {
  std::mt19937 generator(7);
  int held = 0;
  constexpr int repeats = 2000;
  for (int k = 0; k < repeats; ++k) {
    RatioInterval interval = pairedRatio(noisy(1.1, 21, generator), noisy(1, 21, generator));
    held += interval.low <= 1.1 && 1.1 <= interval.high;
  }
  EXPECT_GE(held, repeats * 0.94);
  EXPECT_LE(held, repeats * 0.99);
}

TEST(Statistics, EqualsAreSeldomTakenForAWinner) {
  std::mt19937 generator(3);
  int wins = 0, realWins = 0;
  for (int k = 0; k < 1000; ++k) {
    auto base = noisy(1, 21, generator), copy = noisy(1, 21, generator);
    const double noise = noiseOf(pairedRatio(base, copy));
    wins += isBeyondNoise(pairedRatio(base, noisy(1, 21, generator)), noise);
    realWins += isBeyondNoise(pairedRatio(base, noisy(0.8, 21, generator)), noise);
  }
  EXPECT_LE(wins, 25);
  EXPECT_GE(realWins, 990);
}

} // namespace
