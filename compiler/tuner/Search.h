//===- Search.h - Which schedules to try, in which order --------*- C++ -*-===//
#ifndef ATTUNE_TUNER_SEARCH_H
#define ATTUNE_TUNER_SEARCH_H

#include "tuner/EffectModel.h"
#include "tuner/Objective.h"
#include <functional>
#include <set>

namespace attune {

/// A schedule that was tried.
struct Trial {
  SpacePoint point;
  CpuSchedule schedule;
  double predicted = 0; ///< cycles, by the cost model
  Measurement measurement;
  bool isKnown = false; ///< measured by an earlier search

  bool isOk() const { return measurement.status == CandidateStatus::Ok; }
  /// The fastest call, in milliseconds; infinite if there is none.
  double bestMs() const;
};

struct SearchOptions {
  int candidates = 1 << 20; ///< trials at most, known ones included
  uint64_t seed = 1;
};

/// Searches a space: the default schedule; then a sample, drawn by the cost model and at random,
/// whose better halves are timed again and longer; then, until trials or time are used up, moves
/// around the best, ordered by the cost model as corrected by the measurements. The same seed and
/// the same measurements give the same trials.
class Search {
public:
  /// `onTrial` is told each trial after it was measured for the first time.
  using Observer = std::function<void(const Trial &)>;

  Search(const SearchSpace &space, Objective &objective, SearchOptions options,
         Observer onTrial = nullptr);

  /// Takes what an earlier search has measured; schedules that are not legal here are left out.
  void addKnown(const CpuSchedule &schedule, const Measurement &measurement);

  /// Takes a measurement of this search that was made beforehand.
  void addMeasured(const CpuSchedule &schedule, const Measurement &measurement);

  void run();

  /// Tries one schedule, which must be legal, or finds its trial. Null if the search is over.
  const Trial *tryNow(const CpuSchedule &schedule);

  /// Whether trials or time are used up.
  bool isOver() const { return stopped || int(trialList.size()) >= options.candidates; }

  /// All trials in their order; the default schedule's is among them once run() has returned, if
  /// there was time for one.
  const std::vector<Trial> &trials() const { return trialList; }

  /// The fastest trials that are right, at most `count`, fastest first.
  std::vector<const Trial *> best(size_t count) const;

private:
  struct Option {
    SpacePoint point;
    CpuSchedule schedule;
    double predicted;
  };

  Option optionOf(const CpuSchedule &schedule) const;
  std::optional<Option> optionAt(const SpacePoint &point) const;
  bool tryOption(const Option &option);
  void tryAll(const std::vector<Option> &chosen);
  bool timeAgain(size_t trial, int effort);

  std::vector<Option> buildPool();
  std::vector<Option> firstSample(const std::vector<Option> &pool);
  void halve();
  void raceWithBest(size_t firstTrial);
  std::vector<Option> moves(const std::vector<Option> &pool);
  std::vector<Option> rankMoves(std::vector<Option> options);
  void sortByTime(std::vector<size_t> &order) const;
  std::vector<size_t> ranked() const;

  const SearchSpace &space;
  Objective &objective;
  const SearchOptions options;
  Observer onTrial;
  std::mt19937_64 generator;
  bool stopped = false;
  std::vector<Trial> trialList;
  std::set<std::string> tried; ///< knobsText
};

} // namespace attune

#endif
