//===- ScheduleSelection.h - The stored schedule of a problem ---*- C++ -*-===//
#ifndef ATTUNE_SCHEDULES_DATABASE_SCHEDULESELECTION_H
#define ATTUNE_SCHEDULES_DATABASE_SCHEDULESELECTION_H

#include "schedules/database/ScheduleRecord.h"
#include <optional>
#include <vector>

namespace attune {

/// What a schedule is wanted for; the key's microarchitecture is that of the target.
struct ScheduleRequest {
  ScheduleKey key;
  ScheduleProblem problem;
  CpuTraits cpu;
  /// Only what was measured for the same shape class, whatever the number of heads: where a size is
  /// open, nothing that was measured for one.
  bool onlySameClass = false;
};

struct ScheduleSelection {
  std::optional<ScheduleRecord> record;
  int64_t distance = 0; ///< of its shape class; 0: the same
  int matching = 0;     ///< records of the same op, dtype, head_dim and target
  std::string illegal;  ///< why one that is nearer is not taken, or ""
};

/// Among the records of kind Best with the same op, dtype, head_dim, target and vectors whose
/// schedule is legal: the one that was measured on the microarchitecture, if there is any, then the
/// one with the nearest shape class, then the last.
ScheduleSelection selectSchedule(const std::vector<ScheduleRecord> &records,
                                 const ScheduleRequest &request);

/// Winners that come with attune, from the files under schedules/shipped/.
const std::vector<ScheduleRecord> &shippedRecords();

/// A file of schedules/shipped/ as it was when attune was built.
struct ShippedFile {
  const char *name;
  const char *text;
};
const std::vector<ShippedFile> &shippedFiles();

/// "8 heads, L 512, S 512, embed_dim 512, causal", in the order of ShapeClass.
std::string describe(const ShapeClass &shape);

} // namespace attune

#endif
