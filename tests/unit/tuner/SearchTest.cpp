//===- SearchTest.cpp - Searches over times that are made up --------------===//
#include "tuner/Search.h"
#include <algorithm>
#include <cmath>
#include <gmock/gmock.h>

using namespace attune;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

namespace {

const CpuTraits avx2{
    .vectorLanes = 8, .vectorRegisters = 16, .l1Bytes = 32 << 10, .l2Bytes = 512 << 10};
const ScheduleProblem core64{false, 0, 64};
const CallShape square{.batch = 1, .heads = 12, .target = 1024, .source = 1024};

const SearchSpace::Restriction small{
    {"scores", {6 * 256 + 2, 4 * 256 + 3, 4 * 256 + 2, 12 * 256 + 1}},
    {"values", {6 * 256 + 2, 4 * 256 + 2, 12 * 256 + 1}},
    {"query_tile", {24, 48, 72, 96, 144}},
    {"kv_tile", {48, 96, 192, 384}},
    {"pack_value", {1}},
    {"exp2_degree", {5, 6}}};

/// Times by a formula that the cost model does not know, with noise that only slows down.
class Formula : public Objective {
public:
  explicit Formula(uint64_t seed) : generator(seed) {}

  static double exact(const CpuSchedule &s) {
    const double tile = std::log2(s.queryTile / 72.0), keys = std::log2(s.kvTile / 160.0);
    return 10 * (1 + 0.05 * tile * tile + 0.04 * keys * keys + 0.03 * std::abs(tile * keys)) *
           (s.scores.vectors == 3 ? 0.93 : 1) * (s.values.vectors == 1 ? 1.1 : 1) *
           (s.exp2Degree == 5 ? 0.97 : 1);
  }

  std::optional<Measurement> measure(const CpuSchedule &schedule, int effort) override {
    if (++calls > limit)
      return std::nullopt;
    ++timesAsked[knobsText(schedule)];
    if (failing && failing(schedule))
      return Measurement{CandidateStatus::Crash, {}, "made up"};
    Measurement result;
    std::exponential_distribution<double> slower(50);
    for (int k = 0; k < effort; ++k)
      result.milliseconds.push_back(exact(schedule) * (1 + slower(generator)));
    return result;
  }

  int calls = 0, limit = 1 << 20;
  std::map<std::string, int> timesAsked;
  bool (*failing)(const CpuSchedule &) = nullptr;

private:
  std::mt19937_64 generator;
};

double optimum(const SearchSpace &space, int &legal) {
  double best = 1e9;
  std::set<std::string> distinct;
  for (int64_t k = 0; k < space.size(); ++k)
    if (auto schedule = space.schedule(space.at(k)))
      if (distinct.insert(knobsText(*schedule)).second)
        best = std::min(best, Formula::exact(*schedule));
  legal = int(distinct.size());
  return best;
}

std::vector<std::string> texts(const Search &search) {
  std::vector<std::string> result;
  for (const Trial &trial : search.trials())
    result.push_back(knobsText(trial.schedule));
  return result;
}

TEST(SearchSpace, HasAnAxisForWhatMatters) {
  const SearchSpace space(core64, avx2, square);
  std::vector<std::string> names;
  for (const SearchSpace::Axis &axis : space.axes())
    names.push_back(axis.knob->name);
  EXPECT_THAT(names, testing::IsSupersetOf({"scores", "values", "query_tile", "kv_tile"}));
  EXPECT_THAT(names, testing::Not(testing::Contains("projection_rows")));
  EXPECT_THAT(names, testing::Not(testing::Contains("grain")));
  CallShape two = square;
  two.threads = 2;
  EXPECT_GT(SearchSpace(core64, avx2, two).axes().size(), names.size());
}

TEST(SearchSpace, HoldsTheDefault) {
  const SearchSpace space(core64, avx2, square);
  const SpacePoint point = space.nearest(space.defaultSchedule());
  ASSERT_TRUE(space.schedule(point));
  EXPECT_EQ(knobsText(*space.schedule(point)), knobsText(space.defaultSchedule()));
}

TEST(SearchSpace, PointsAreLegalOrNone) {
  const SearchSpace space(core64, avx2, square);
  std::mt19937_64 generator(1);
  int legal = 0;
  for (int k = 0; k < 2000; ++k)
    if (auto schedule = space.schedule(space.random(generator))) {
      ++legal;
      EXPECT_EQ(checkSchedule(*schedule, core64, avx2), "");
    }
  EXPECT_GT(legal, 500);
}

TEST(Search, ComesNearTheOptimumWithAFewTrials) {
  const SearchSpace space(core64, avx2, square, small);
  int legal = 0, near = 0;
  const double best = optimum(space, legal);
  ASSERT_GE(legal, 300);
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Formula formula(seed);
    Search search(space, formula, {.candidates = legal * 15 / 100, .seed = seed});
    search.run();
    EXPECT_THAT(search.trials(), SizeIs(Le(size_t(legal * 15 / 100))));
    near += Formula::exact(search.best(1).at(0)->schedule) <= 1.03 * best;
  }
  EXPECT_GE(near, 9);
}

TEST(Search, StartsWithTheDefaultAndRepeatsItself) {
  const SearchSpace space(core64, avx2, square);
  std::vector<std::string> first;
  for (uint64_t seed : {4, 4, 5}) {
    Formula formula(1);
    Search search(space, formula, {.candidates = 30, .seed = seed});
    search.run();
    EXPECT_THAT(search.trials(), SizeIs(30));
    EXPECT_EQ(texts(search).front(), knobsText(space.defaultSchedule()));
    if (first.empty())
      first = texts(search);
    EXPECT_EQ(first == texts(search), seed == 4);
  }
}

TEST(Search, GoesOnAfterFailures) {
  const SearchSpace space(core64, avx2, square, small);
  Formula formula(1);
  formula.failing = [](const CpuSchedule &s) { return s.scores.vectors == 3 || s.queryTile > 90; };
  Search search(space, formula, {.candidates = 60, .seed = 1});
  search.run();
  EXPECT_THAT(search.trials(), SizeIs(60));
  EXPECT_GT(std::count_if(search.trials().begin(), search.trials().end(),
                          [](const Trial &trial) { return !trial.isOk(); }),
            0);
  for (const Trial *trial : search.best(100))
    EXPECT_FALSE(formula.failing(trial->schedule));
}

TEST(Search, EndsWhereNothingWorks) {
  const SearchSpace space(core64, avx2, square, small);
  Formula formula(1);
  formula.failing = [](const CpuSchedule &) { return true; };
  Search search(space, formula, {.candidates = 40, .seed = 1});
  search.run();
  EXPECT_THAT(search.trials(), SizeIs(40));
  EXPECT_THAT(search.best(1), IsEmpty());
}

TEST(Search, TriesAWholeSpaceOnceAndEnds) {
  const SearchSpace space(core64, avx2, square,
                          {{"scores", {6 * 256 + 2}},
                           {"values", {6 * 256 + 2}},
                           {"query_tile", {24, 48, 96}},
                           {"kv_tile", {64, 128}},
                           {"pack_value", {1}},
                           {"exp2_degree", {6}}});
  Formula formula(1);
  Search search(space, formula, {.candidates = 1000, .seed = 1});
  search.run();
  std::vector<std::string> all = texts(search);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
  EXPECT_THAT(search.trials(), SizeIs(7)); // and the default, whose values are read as they are
}

TEST(Search, DoesNotMeasureAgainWhatIsKnown) {
  const SearchSpace space(core64, avx2, square);
  Formula cut(1);
  cut.limit = 25;
  Search interrupted(space, cut, {.candidates = 60, .seed = 1});
  interrupted.run();
  ASSERT_LT(interrupted.trials().size(), 60u);
  Formula rest(2);
  Search resumed(space, rest, {.candidates = 60, .seed = 1});
  for (const Trial &trial : interrupted.trials())
    resumed.addKnown(trial.schedule, trial.measurement);
  resumed.run();
  EXPECT_THAT(resumed.trials(), SizeIs(60));
  for (size_t k = 0; k + 1 < interrupted.trials().size(); ++k)
    EXPECT_EQ(rest.timesAsked[knobsText(interrupted.trials()[k].schedule)], 0);
}

} // namespace
