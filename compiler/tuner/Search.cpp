//===- Search.cpp - Which schedules to try, in which order ----------------===//
#include "tuner/Search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace attune {

namespace {
constexpr int64_t kEnumerated = 20'000; ///< larger spaces are sampled
constexpr int kSampled = 6'000;         ///< random points of such a sample
constexpr double kHopeless = 2;         ///< estimates so many times the least one are left out
constexpr size_t kLeastPool = 64;       ///< but not if fewer would be left
constexpr int kMostSampled = 48, kLeastSampled = 4; ///< trials of the first phase
constexpr double kSampledShare = 0.45;
constexpr size_t kFinalists = 4; ///< halving ends here
constexpr size_t kBatch = 3;     ///< moves between two fits
constexpr size_t kCentres = 3;   ///< trials to move from
constexpr int kStrangers = 64;   ///< points of the pool among the moves
constexpr double kClose = 1.03;  ///< trials so near to the best are timed again
} // namespace

double Trial::bestMs() const {
  const std::vector<double> &times = measurement.milliseconds;
  return isOk() && !times.empty() ? *std::min_element(times.begin(), times.end())
                                  : std::numeric_limits<double>::infinity();
}

Search::Search(const SearchSpace &space, Objective &objective, SearchOptions options,
               Observer onTrial)
    : space(space), objective(objective), options(options), onTrial(std::move(onTrial)),
      generator(options.seed) {}

void Search::addKnown(const CpuSchedule &schedule, const Measurement &measurement) {
  if (!checkSchedule(schedule, space.problem, space.cpu).empty() ||
      !tried.insert(knobsText(schedule)).second)
    return;
  trialList.push_back(
      {space.nearest(schedule), schedule, space.predict(schedule), measurement, true});
}

void Search::addMeasured(const CpuSchedule &schedule, const Measurement &measurement) {
  tried.insert(knobsText(schedule));
  trialList.push_back(
      {space.nearest(schedule), schedule, space.predict(schedule), measurement, false});
  if (onTrial)
    onTrial(trialList.back());
}

const Trial *Search::tryNow(const CpuSchedule &schedule) {
  const std::string identity = knobsText(schedule);
  if (!tried.count(identity) && !tryOption(optionOf(schedule)))
    return nullptr;
  for (const Trial &trial : trialList)
    if (knobsText(trial.schedule) == identity)
      return &trial;
  return nullptr;
}

Search::Option Search::optionOf(const CpuSchedule &schedule) const {
  return {space.nearest(schedule), schedule, space.predict(schedule)};
}

std::optional<Search::Option> Search::optionAt(const SpacePoint &point) const {
  std::optional<CpuSchedule> schedule = space.schedule(point);
  if (!schedule)
    return std::nullopt;
  return Option{point, *schedule, space.predict(*schedule)};
}

/// Measures what was not tried before; false if that ends the search.
bool Search::tryOption(const Option &option) {
  if (isOver())
    return false;
  if (!tried.insert(knobsText(option.schedule)).second)
    return true;
  std::optional<Measurement> measurement = objective.measure(option.schedule, 1);
  if (!measurement) {
    stopped = true;
    return false;
  }
  trialList.push_back({option.point, option.schedule, option.predicted, std::move(*measurement)});
  if (onTrial)
    onTrial(trialList.back());
  return true;
}

void Search::tryAll(const std::vector<Option> &chosen) {
  std::vector<CpuSchedule> schedules;
  for (const Option &option : chosen)
    if (!tried.count(knobsText(option.schedule)))
      schedules.push_back(option.schedule);
  objective.expect(std::move(schedules));
  for (const Option &option : chosen)
    if (!tryOption(option))
      return;
}

bool Search::timeAgain(size_t trial, int effort) {
  if (stopped)
    return false;
  std::optional<Measurement> again = objective.measure(trialList[trial].schedule, effort);
  if (!again) {
    stopped = true;
    return false;
  }
  // A failure now counts more than an earlier success.
  Measurement &known = trialList[trial].measurement;
  if (again->status != CandidateStatus::Ok)
    known = std::move(*again);
  else
    known.milliseconds.insert(known.milliseconds.end(), again->milliseconds.begin(),
                              again->milliseconds.end());
  return true;
}

/// Fastest first; earlier trials before later ones.
void Search::sortByTime(std::vector<size_t> &order) const {
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(trialList[a].bestMs(), a) < std::pair(trialList[b].bestMs(), b);
  });
}

/// Trials that are right, fastest first.
std::vector<size_t> Search::ranked() const {
  std::vector<size_t> order;
  for (size_t k = 0; k < trialList.size(); ++k)
    if (trialList[k].isOk())
      order.push_back(k);
  sortByTime(order);
  return order;
}

std::vector<const Trial *> Search::best(size_t count) const {
  std::vector<const Trial *> result;
  for (size_t trial : ranked())
    if (result.size() < count)
      result.push_back(&trialList[trial]);
  return result;
}

/// Legal points without those that the cost model thinks hopeless, least estimate first.
std::vector<Search::Option> Search::buildPool() {
  std::vector<Option> pool;
  std::set<std::string> seen;
  auto add = [&](const SpacePoint &point) {
    std::optional<Option> option = optionAt(point);
    if (option && seen.insert(knobsText(option->schedule)).second)
      pool.push_back(std::move(*option));
  };
  if (space.size() <= kEnumerated) {
    for (int64_t k = 0; k < space.size(); ++k)
      add(space.at(k));
  } else {
    for (const SpacePoint &point : space.neighbours(space.nearest(space.defaultSchedule())))
      add(point);
    for (int k = 0; k < kSampled; ++k)
      add(space.random(generator));
  }
  std::sort(pool.begin(), pool.end(), [](const Option &a, const Option &b) {
    return std::tie(a.predicted, a.point) < std::tie(b.predicted, b.point);
  });
  while (pool.size() > kLeastPool && pool.back().predicted > kHopeless * pool.front().predicted)
    pool.pop_back();
  return pool;
}

/// Every other option is likely to be good by the cost model, the others are nearly random.
std::vector<Search::Option> Search::firstSample(const std::vector<Option> &pool) {
  const int wanted =
      std::clamp(int(kSampledShare * options.candidates), kLeastSampled, kMostSampled);
  std::vector<Option> sample;
  for (int k = 0; k < wanted && !pool.empty(); ++k) {
    // The pool is ordered, so the least of several positions wins a tournament.
    size_t position = pool.size() - 1;
    for (int round = 0; round < (k % 2 == 0 ? 32 : 3); ++round)
      position = std::min<size_t>(position, generator() % pool.size());
    sample.push_back(pool[position]);
  }
  return sample;
}

/// Successive halving: the better half is timed again, twice as long.
void Search::halve() {
  std::vector<size_t> order = ranked();
  for (int effort = 1; order.size() > kFinalists && !stopped; effort *= 2) {
    order.resize(std::max(order.size() / 2, kFinalists));
    for (size_t trial : order)
      if (!trialList[trial].isKnown && !timeAgain(trial, effort))
        return;
    std::erase_if(order, [&](size_t trial) { return !trialList[trial].isOk(); });
    sortByTime(order);
    if (order.size() == kFinalists)
      return;
  }
}

/// Times those of the trials from `firstTrial` on again that came close to the best, with the best.
void Search::raceWithBest(size_t firstTrial) {
  const std::vector<size_t> order = ranked();
  if (order.empty())
    return;
  const double limit = trialList[order.front()].bestMs() * kClose;
  bool isContested = false;
  for (size_t trial : order)
    if (trial >= firstTrial && trialList[trial].bestMs() <= limit) {
      isContested = true;
      if (!timeAgain(trial, 2))
        return;
    }
  if (isContested && order.front() < firstTrial && !trialList[order.front()].isKnown)
    timeAgain(order.front(), 1);
}

/// What is one step, or two, away from the best trials, and some points from elsewhere.
std::vector<Search::Option> Search::moves(const std::vector<Option> &pool) {
  std::vector<Option> result;
  std::set<std::string> seen = tried;
  auto add = [&](const std::optional<Option> &option) {
    if (option && seen.insert(knobsText(option->schedule)).second)
      result.push_back(*option);
  };
  for (const Trial *centre : best(kCentres)) {
    const std::vector<SpacePoint> near = space.neighbours(centre->point);
    for (const SpacePoint &point : near) {
      add(optionAt(point));
      const std::vector<SpacePoint> further = space.neighbours(point);
      if (!further.empty())
        add(optionAt(further[generator() % further.size()]));
    }
  }
  for (int k = 0; k < kStrangers && !pool.empty(); ++k)
    add(pool[generator() % pool.size()]);
  for (size_t k = 0; k < pool.size() && result.empty(); ++k)
    add(pool[k]);
  return result;
}

/// The most promising moves, and one at random against getting stuck.
std::vector<Search::Option> Search::rankMoves(std::vector<Option> candidates) {
  std::vector<EffectSample> samples;
  for (const Trial &trial : trialList)
    if (trial.isOk())
      samples.push_back({trial.point, trial.predicted, trial.bestMs()});
  const EffectModel model(space, samples);
  if (candidates.size() > kBatch)
    std::swap(candidates.back(), candidates[generator() % candidates.size()]);
  const Option stranger = candidates.back();
  std::vector<std::pair<double, size_t>> order;
  for (size_t k = 0; k < candidates.size(); ++k)
    order.push_back({model.expect(candidates[k].point, candidates[k].predicted), k});
  std::sort(order.begin(), order.end());
  std::vector<Option> chosen;
  for (size_t k = 0; k < std::min(kBatch - 1, order.size()); ++k)
    chosen.push_back(candidates[order[k].second]);
  chosen.push_back(stranger); // tried already, if it is among the promising
  return chosen;
}

void Search::run() {
  tryOption(optionOf(space.defaultSchedule()));
  const std::vector<Option> pool = buildPool();
  tryAll(firstSample(pool));
  halve();
  while (!isOver()) {
    std::vector<Option> candidates = moves(pool);
    if (candidates.empty())
      return;
    const size_t firstTrial = trialList.size();
    tryAll(rankMoves(std::move(candidates)));
    raceWithBest(firstTrial);
  }
}

} // namespace attune
