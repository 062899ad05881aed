//===- Schedules.cpp - Legal schedules with tiny or odd tiles -------------===//
#include "Schedules.h"

namespace attune::conformance {

namespace {
struct Blocks {
  RegisterBlock scores, values, projection;
};

CpuSchedule with(const Blocks &blocks, int queryTile, int keyPanels, const CpuTraits &cpu) {
  CpuSchedule schedule;
  schedule.scores = blocks.scores;
  schedule.values = blocks.values;
  schedule.projection = blocks.projection;
  schedule.queryTile = queryTile;
  schedule.kvTile = keyPanels * schedule.keyPanel(cpu);
  schedule.projectionRows = blocks.projection.rows;
  schedule.projectionDepth = 1;
  schedule.weightPanel = schedule.projectionColumns(cpu);
  schedule.splitKeys = schedule.kvTile;
  schedule.provenance.source = "test";
  return schedule;
}
} // namespace

namespace {
int roundedUp(int64_t value, int64_t unit) {
  return static_cast<int>((value + unit - 1) / unit * unit);
}

/// The nearest schedule whose tiles products of pairs can take.
void makeWholePairs(CpuSchedule &schedule, const CpuTraits &cpu) {
  if (cpu.pairProducts == PairProducts::None)
    return;
  while (schedule.keyPanel(cpu) % pairTileDepth != 0)
    ++schedule.scores.vectors;
  schedule.kvTile = roundedUp(schedule.kvTile, schedule.keyPanel(cpu));
  schedule.splitKeys = roundedUp(schedule.splitKeys, schedule.kvTile);
  schedule.projectionDepth = roundedUp(schedule.projectionDepth, pairTileDepth);
  schedule.queryTile = roundedUp(schedule.queryTile, schedule.queryUnit(cpu));
  schedule.projectionRows = roundedUp(schedule.projectionRows, schedule.projectionUnit(cpu));
}
} // namespace

CpuSchedule scheduleOf(Tiles tiles, const ScheduleProblem &problem, const CpuTraits &cpu) {
  CpuSchedule schedule = defaultSchedule(problem, cpu);
  switch (tiles) {
  case Tiles::Default:
    break;
  case Tiles::Minimal:
    schedule = with({{1, 1}, {1, 1}, {1, 1}}, 1, 1, cpu);
    schedule.fewRows = 2;
    break;
  case Tiles::Small:
    schedule = with({{3, 2}, {2, 1}, {2, 2}}, 6, 2, cpu);
    schedule.projectionRows = 4;
    schedule.projectionDepth = 7;
    schedule.fewRows = 5;
    schedule.splitKeys *= 2;
    break;
  case Tiles::Odd:
    schedule = with({{5, 1}, {10, 1}, {5, 1}}, 10, 3, cpu);
    schedule.projectionRows = 15;
    schedule.projectionDepth = 33;
    schedule.weightPanel *= 3;
    schedule.exp2Degree = 7;
    schedule.grain = 3;
    schedule.headsPerWorker = 0;
    break;
  case Tiles::Wide:
    schedule = with({{1, 6}, {4, 2}, {1, 6}}, 12, 1, cpu);
    schedule.projectionRows = 12;
    schedule.projectionDepth = 64;
    schedule.fewRows = 13;
    schedule.splitKeys *= 3;
    break;
  case Tiles::Tall:
    schedule = with({{12, 1}, {12, 1}, {12, 1}}, 24, 1, cpu);
    schedule.projectionRows = 24;
    schedule.projectionDepth = 16;
    schedule.weightPanel *= 2;
    schedule.grain = 2;
    schedule.headsPerWorker = 1000;
    schedule.fewRows = 64;
    break;
  }
  makeWholePairs(schedule, cpu);
  return schedule;
}

} // namespace attune::conformance
