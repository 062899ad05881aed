//===- SearchSpace.cpp - The schedules that a search may try --------------===//
#include "tuner/SearchSpace.h"

#include "schedules/CostModel.h"
#include <algorithm>
#include <cstdlib>
#include <limits>

namespace attune {

SearchSpace::SearchSpace(const ScheduleProblem &problem, const CpuTraits &cpu,
                         const CallShape &call, const Restriction &restriction)
    : problem(problem), cpu(cpu), call(call), base(attune::defaultSchedule(problem, cpu)) {
  for (const Knob &knob : knobs()) {
    auto given = restriction.find(knob.name);
    if (given == restriction.end() && knob.matters && !knob.matters(problem, call))
      continue;
    std::vector<int64_t> values =
        given == restriction.end() ? knob.values(problem, cpu) : given->second;
    if (given == restriction.end())
      values.push_back(knob.get(base));
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    axisList.push_back({&knob, std::move(values)});
  }
}

int64_t SearchSpace::size() const {
  int64_t points = 1;
  for (const Axis &axis : axisList) {
    const int64_t count = int64_t(axis.values.size());
    if (points > std::numeric_limits<int64_t>::max() / count)
      return std::numeric_limits<int64_t>::max();
    points *= count;
  }
  return points;
}

SpacePoint SearchSpace::at(int64_t index) const {
  SpacePoint point;
  for (const Axis &axis : axisList) {
    const int64_t count = int64_t(axis.values.size());
    point.push_back(int(index % count));
    index /= count;
  }
  return point;
}

std::optional<CpuSchedule> SearchSpace::schedule(const SpacePoint &point) const {
  CpuSchedule result = base;
  for (size_t k = 0; k < axisList.size(); ++k)
    axisList[k].knob->set(result, axisList[k].values[point[k]]);
  roundToUnits(result, cpu);
  if (!checkSchedule(result, problem, cpu).empty())
    return std::nullopt;
  return result;
}

SpacePoint SearchSpace::nearest(const CpuSchedule &schedule) const {
  SpacePoint point;
  for (const Axis &axis : axisList) {
    const int64_t wanted = axis.knob->get(schedule);
    auto closer = [&](int64_t a, int64_t b) { return std::abs(a - wanted) < std::abs(b - wanted); };
    auto found = std::min_element(axis.values.begin(), axis.values.end(), closer);
    point.push_back(int(found - axis.values.begin()));
  }
  return point;
}

SpacePoint SearchSpace::random(std::mt19937_64 &generator) const {
  SpacePoint point;
  for (const Axis &axis : axisList)
    point.push_back(int(generator() % axis.values.size()));
  return point;
}

std::vector<SpacePoint> SearchSpace::neighbours(const SpacePoint &point) const {
  std::vector<SpacePoint> result;
  for (size_t k = 0; k < axisList.size(); ++k)
    for (int position = 0; position < int(axisList[k].values.size()); ++position)
      if (position != point[k]) {
        result.push_back(point);
        result.back()[k] = position;
      }
  return result;
}

double SearchSpace::predict(const CpuSchedule &schedule) const {
  return predictCycles(schedule, problem, cpu, call);
}

} // namespace attune
