//===- RecordedSpace.h - A space small enough to measure it whole ---------===//
#ifndef ATTUNE_BENCH_TUNING_RECORDEDSPACE_H
#define ATTUNE_BENCH_TUNING_RECORDEDSPACE_H

#include "pipeline/ScheduleChoice.h"
#include "tuner/SearchSpace.h"
#include "tuner/TuningProblem.h"
#include <cstdio>
#include <cstdlib>
#include <set>

namespace attune {

template <typename T> T orExit(llvm::Expected<T> value) {
  if (value)
    return std::move(*value);
  std::fprintf(stderr, "%s\n", llvm::toString(value.takeError()).c_str());
  std::exit(1);
}

/// A short call, since all schedules take turns.
inline TuningProblem recordedProblem(const char *target) {
  const char *config = R"({"name": "space", "op": "attention",
    "module": {"num_heads": 4, "head_dim": 64}, "forward": {"batch": 1}})";
  CallSizes sizes;
  sizes.target = sizes.source = 512;
  return {orExit(parseConfig(config, "space")), orExit(cpu::resolveTarget(target)), sizes, 1};
}

/// Blocks that suit the registers, good ones and bad ones, and tiles around those of the default.
inline SearchSpace recordedSpace(const TuningProblem &problem) {
  auto block = [](int rows, int vectors) { return int64_t(rows) * 256 + vectors; };
  const CpuTraits &cpu = problem.target.traits;
  SearchSpace::Restriction values;
  if (cpu.vectorRegisters < 32)
    values = {{"scores", {block(6, 2), block(4, 3), block(4, 2), block(12, 1)}},
              {"values", {block(6, 2), block(4, 2), block(12, 1)}},
              {"query_tile", {12, 24, 36, 48, 72, 96, 144}},
              {"kv_tile", {48, 96, 192, 288, 384}}};
  else
    values = {{"scores", {block(6, 4), block(12, 2), block(8, 3), block(4, 6)}},
              {"values", {block(6, 4), block(12, 2), block(4, 4)}},
              {"query_tile", {24, 48, 72, 96, 144, 192}},
              {"kv_tile", {64, 128, 192, 256, 384, 512}}};
  values["pack_value"] = {int64_t(PackValue::AsIs)};
  return {scheduleProblem(problem.config), cpu, problem.shape(), values};
}

/// Every schedule of a space, the default one first.
inline std::vector<CpuSchedule> schedulesOf(const SearchSpace &space) {
  std::vector<CpuSchedule> schedules{space.defaultSchedule()};
  std::set<std::string> seen{knobsText(schedules[0])};
  for (int64_t k = 0; k < space.size(); ++k)
    if (auto schedule = space.schedule(space.at(k)))
      if (seen.insert(knobsText(*schedule)).second)
        schedules.push_back(*schedule);
  return schedules;
}

} // namespace attune

#endif
