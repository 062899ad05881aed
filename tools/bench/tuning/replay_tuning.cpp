//===- replay_tuning.cpp - Searches over times that were recorded ---------===//
//
// Reads what record_tuning has measured of a whole space, and lets the search find the best of it
// with a part of the trials, once for each of several seeds. Nothing is compiled or run.
//
//===----------------------------------------------------------------------===//
#include "RecordedSpace.h"
#include "schedules/database/ScheduleDatabase.h"
#include "tuner/Search.h"
#include <algorithm>
#include <cmath>
#include <map>

using namespace attune;

namespace {

struct Recorded {
  std::map<std::string, Figures> times; ///< by knobsText
  double optimum = INFINITY;            ///< in milliseconds
  int failed = 0;
};

/// Gives back recorded times: the fastest, slower by as much as its calls were apart.
class Replay : public Objective {
public:
  Replay(const Recorded &recorded, uint64_t seed) : recorded(recorded), generator(seed) {}

  std::optional<Measurement> measure(const CpuSchedule &schedule, int effort) override {
    auto found = recorded.times.find(knobsText(schedule));
    if (found == recorded.times.end())
      return Measurement{CandidateStatus::Refused, {}, "not recorded"};
    const Figures &figures = found->second;
    const double spread = std::max(figures.medianMs / figures.bestMs - 1, 1e-4);
    std::exponential_distribution<double> slower(1 / spread);
    Measurement result;
    for (int k = 0; k < 2 + effort; ++k)
      result.milliseconds.push_back(figures.bestMs * (1 + slower(generator)));
    return result;
  }

private:
  const Recorded &recorded;
  std::mt19937_64 generator;
};

Recorded readRecords(const char *path) {
  std::vector<ScheduleRecord> records;
  std::string error;
  if (!ScheduleDatabase(path).load(records, error)) {
    std::fprintf(stderr, "%s\n", error.c_str());
    std::exit(1);
  }
  Recorded result;
  for (const ScheduleRecord &record : records) {
    if (record.kind != RecordKind::Candidate)
      continue;
    result.failed += !record.figures;
    if (!record.figures)
      continue;
    // Measured more than once: the faster counts, other work on the machine can only slow down.
    auto [entry, isNew] = result.times.try_emplace(knobsText(record.schedule), *record.figures);
    if (record.figures->bestMs < entry->second.bestMs)
      entry->second = *record.figures;
    result.optimum = std::min(result.optimum, record.figures->bestMs);
  }
  return result;
}

/// The Spearman correlation of the cost model's estimates with the times.
double rankCorrelation(const std::vector<std::pair<double, double>> &pairs) {
  auto ranks = [&](auto part) {
    std::vector<size_t> order(pairs.size()), rank(pairs.size());
    for (size_t k = 0; k < order.size(); ++k)
      order[k] = k;
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return part(pairs[a]) < part(pairs[b]); });
    for (size_t k = 0; k < order.size(); ++k)
      rank[order[k]] = k;
    return rank;
  };
  const auto a = ranks([](const auto &pair) { return pair.first; });
  const auto b = ranks([](const auto &pair) { return pair.second; });
  double squares = 0;
  for (size_t k = 0; k < a.size(); ++k)
    squares += std::pow(double(a[k]) - double(b[k]), 2);
  const double n = double(a.size());
  return 1 - 6 * squares / (n * (n * n - 1));
}

void printDefault(const SearchSpace &space, const Recorded &recorded) {
  if (auto found = recorded.times.find(knobsText(space.defaultSchedule()));
      found != recorded.times.end())
    std::printf("the default schedule takes %.3f ms, %.1f %% above the fastest\n",
                found->second.bestMs, 100 * (found->second.bestMs / recorded.optimum - 1));
}

void printModel(const SearchSpace &space, const Recorded &recorded) {
  std::vector<std::pair<double, double>> pairs;
  for (const CpuSchedule &schedule : schedulesOf(space))
    if (auto found = recorded.times.find(knobsText(schedule)); found != recorded.times.end())
      pairs.push_back({space.predict(schedule), found->second.bestMs});
  std::printf("rank correlation of the cost model with the times: %.2f\n", rankCorrelation(pairs));
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s TARGET DATABASE SHARE [SEEDS]\n", argv[0]);
    return 2;
  }
  const Recorded recorded = readRecords(argv[2]);
  const TuningProblem problem = recordedProblem(argv[1]);
  const SearchSpace space = recordedSpace(problem);
  const int trials = int(std::strtod(argv[3], nullptr) * double(recorded.times.size()));
  const int seeds = argc > 4 ? int(std::strtol(argv[4], nullptr, 10)) : 10;
  std::printf("%zu schedules with times, %d without; the fastest takes %.3f ms\n",
              recorded.times.size(), recorded.failed, recorded.optimum);
  printDefault(space, recorded);
  printModel(space, recorded);
  int near = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    Replay replay(recorded, uint64_t(seed));
    Search search(space, replay, {.candidates = trials, .seed = uint64_t(seed)});
    search.run();
    const double found = recorded.times.at(knobsText(search.best(1).at(0)->schedule)).bestMs;
    near += found <= 1.03 * recorded.optimum;
    std::printf("seed %2d: %zu trials, %.3f ms, %.1f %% above the fastest\n", seed,
                search.trials().size(), found, 100 * (found / recorded.optimum - 1));
  }
  std::printf("%d of %d seeds within 3 %%\n", near, seeds);
  return 0;
}
