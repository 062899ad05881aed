//===- TuneRecords.h - Searches in the database -----------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_TUNERECORDS_H
#define ATTUNE_TOOLS_ATTUNE_TUNERECORDS_H

#include "schedules/database/ScheduleDatabase.h"
#include "tuner/Tuner.h"

namespace attune::tool {

/// What the database holds of the search for one problem.
class TuneRecords {
public:
  TuneRecords(const ScheduleDatabase &database, const TuningProblem &problem);

  /// What earlier searches have measured of exactly this call with this version of attune.
  llvm::Expected<std::vector<std::pair<CpuSchedule, Measurement>>> known() const;

  /// Keeps a trial. After this returned without an error, no crash loses it.
  llvm::Error add(const Trial &trial) const;

  /// Keeps what the comparison at the end of a search has shown: the schedule that was faster than
  /// the default beyond the noise, else the default, so that no winner of another shape class is
  /// taken where the default has not been beaten; but not in place of an earlier winner.
  llvm::Error addBest(const TuningResult &result) const;

private:
  /// Whether an earlier search of this shape class has kept its outcome.
  llvm::Expected<bool> hasBest() const;
  ScheduleRecord newRecord(const CpuSchedule &schedule) const;
  llvm::Error append(const ScheduleRecord &record) const;

  const ScheduleDatabase &database;
  const TuningProblem &problem;
  const ScheduleKey key;
  const std::string workload;
};

} // namespace attune::tool

#endif
