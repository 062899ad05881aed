//===- CostModel.h - What a schedule should cost, by arithmetic -*- C++ -*-===//
#ifndef ATTUNE_SCHEDULES_COSTMODEL_H
#define ATTUNE_SCHEDULES_COSTMODEL_H

#include "schedules/Knobs.h"

namespace attune {

/// An estimate of the cycles of one call under a legal schedule: of registers, FMAs, exponentials,
/// bytes between cache levels, and how evenly threads share the work. Good for comparing schedules
/// of one call, not for anything else; README.md says what it counts.
double predictCycles(const CpuSchedule &schedule, const ScheduleProblem &problem,
                     const CpuTraits &cpu, const CallShape &call);

} // namespace attune

#endif
