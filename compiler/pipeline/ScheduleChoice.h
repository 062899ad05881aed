//===- ScheduleChoice.h - Which schedule a configuration gets ---*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_SCHEDULECHOICE_H
#define ATTUNE_PIPELINE_SCHEDULECHOICE_H

#include "codegen/cpu/TargetInfo.h"
#include "frontend/Config.h"
#include "schedules/database/ScheduleDatabase.h"
#include "schedules/database/ScheduleSelection.h"
#include <optional>

namespace attune {

/// The part of a configuration that schedules look at.
ScheduleProblem scheduleProblem(const Config &config);

/// Sizes of a call that a configuration leaves open; 0 where they stay open.
struct OpenSizes {
  int64_t batch = 0, targetLength = 0, sourceLength = 0;
};

/// What stored schedules of a configuration are found by. The microarchitecture is the target's
/// CPU; whoever measures on another one says so.
ScheduleKey scheduleKey(const Config &config, const cpu::TargetInfo &target,
                        const OpenSizes &sizes = {});

/// A schedule, and in words why it is this one; "" where there was nothing to choose.
struct ChosenSchedule {
  CpuSchedule schedule;
  std::string why;
};

/// Schedules that were measured: those of a database, then those that come with attune.
class StoredSchedules {
public:
  /// Reads the database now. `warn` is told of lines and schedules that are not used.
  StoredSchedules(const std::string &databasePath,
                  std::function<void(const std::string &)> warn = nullptr);

  /// Null without a path: the user has turned stored schedules off.
  static std::shared_ptr<const StoredSchedules>
  open(const std::string &databasePath, std::function<void(const std::string &)> warn = nullptr);

  /// The best stored schedule, else the default function's.
  ChosenSchedule choose(const Config &config, const cpu::TargetInfo &target) const;

private:
  struct Source {
    std::string name; ///< as in provenance
    std::string place;
    std::vector<ScheduleRecord> records;
    bool onlySameClass; ///< of ScheduleRequest
  };
  std::vector<Source> sources; ///< in the order in which they are asked
  std::function<void(const std::string &)> warn;
};

} // namespace attune

#endif
