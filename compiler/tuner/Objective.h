//===- Objective.h - What a search asks for ---------------------*- C++ -*-===//
#ifndef ATTUNE_TUNER_OBJECTIVE_H
#define ATTUNE_TUNER_OBJECTIVE_H

#include "schedules/database/ScheduleRecord.h"
#include <optional>
#include <string>
#include <vector>

namespace attune {

/// What came of trying a schedule.
struct Measurement {
  CandidateStatus status = CandidateStatus::Ok;
  std::vector<double> milliseconds; ///< of each timed call; at least one if the status is Ok
  std::string detail;               ///< of a status other than Ok, in words
};

/// Tries schedules: by compiling and running them, from a record, or by a formula in tests.
class Objective {
public:
  virtual ~Objective() = default;

  /// These schedules are likely to be measured next, in this order; an objective may do beforehand
  /// what it can do for several at once.
  virtual void expect(std::vector<CpuSchedule>) {}

  /// Tries a schedule, or times one again that was tried before; more effort means more timed
  /// calls. Nothing if there is no time left or the user has stopped the search.
  virtual std::optional<Measurement> measure(const CpuSchedule &schedule, int effort) = 0;
};

} // namespace attune

#endif
