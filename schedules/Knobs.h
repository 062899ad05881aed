//===- Knobs.h - What may be varied in a schedule ---------------*- C++ -*-===//
#ifndef ATTUNE_SCHEDULES_KNOBS_H
#define ATTUNE_SCHEDULES_KNOBS_H

#include "schedules/CpuSchedule.h"
#include <span>
#include <string>
#include <vector>

namespace attune {

/// One call that schedules are compared by. Sizes as in the README, all at least 1.
struct CallShape {
  int64_t batch = 1, heads = 1, target = 1, source = 1;
  bool isCausal = false;
  int threads = 1;
};

/// A field of a schedule that a search may vary, or a register block, which is varied as a whole.
/// Values are integers; texts, which JSON and people see, come from `text`.
struct Knob {
  const char *name; ///< the key of the JSON form: "query_tile", "scores"
  int64_t (*get)(const CpuSchedule &);
  void (*set)(CpuSchedule &, int64_t);
  /// Values that are worth a trial, ascending; some are legal only beside others.
  std::vector<int64_t> (*values)(const ScheduleProblem &, const CpuTraits &);
  /// What the value must be a multiple of, given the register blocks; null: of 1.
  int64_t (*unit)(const CpuSchedule &, const CpuTraits &);
  std::string (*text)(int64_t);
  /// Does it change this call? Null: always.
  bool (*matters)(const ScheduleProblem &, const CallShape &);
};

/// All knobs. A new field of the schedule is tuned once it has a row here.
std::span<const Knob> knobs();

/// The value of a knob's text, of those that are worth a trial or, of tiles and counts, any
/// integer. False if the text names none.
bool parseKnobValue(const Knob &knob, const ScheduleProblem &problem, const CpuTraits &cpu,
                    const std::string &text, int64_t &value);

/// Rounds every knob that must be a multiple of something to the nearest multiple, at least one.
void roundToUnits(CpuSchedule &schedule, const CpuTraits &cpu);

} // namespace attune

#endif
