//===- SearchSpace.h - The schedules that a search may try ------*- C++ -*-===//
#ifndef ATTUNE_TUNER_SEARCHSPACE_H
#define ATTUNE_TUNER_SEARCHSPACE_H

#include "schedules/Knobs.h"
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace attune {

/// Positions on the axes of a space.
using SpacePoint = std::vector<int>;

/// The knobs that matter for one call, each with the values to try.
class SearchSpace {
public:
  struct Axis {
    const Knob *knob;
    std::vector<int64_t> values; ///< ascending
  };

  /// Values that a caller allows a knob, by the knob's name; knobs that are not named have theirs.
  using Restriction = std::map<std::string, std::vector<int64_t>>;

  SearchSpace(const ScheduleProblem &problem, const CpuTraits &cpu, const CallShape &call,
              const Restriction &restriction = {});

  const std::vector<Axis> &axes() const { return axisList; }
  const CpuSchedule &defaultSchedule() const { return base; }
  /// All points, legal or not; at most INT64_MAX.
  int64_t size() const;
  SpacePoint at(int64_t index) const;

  /// The schedule at a point: the default schedule with the values of the axes, each rounded to
  /// what it must be a multiple of. Nothing if it is not legal.
  std::optional<CpuSchedule> schedule(const SpacePoint &point) const;

  /// The point whose values are nearest to those of a schedule.
  SpacePoint nearest(const CpuSchedule &schedule) const;

  SpacePoint random(std::mt19937_64 &generator) const;

  /// All points that differ from one in a single axis.
  std::vector<SpacePoint> neighbours(const SpacePoint &point) const;

  /// The estimate of the cost model, in cycles, of a legal schedule.
  double predict(const CpuSchedule &schedule) const;

  const ScheduleProblem problem;
  const CpuTraits cpu;
  const CallShape call;

private:
  CpuSchedule base;
  std::vector<Axis> axisList;
};

} // namespace attune

#endif
