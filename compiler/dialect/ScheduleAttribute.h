//===- ScheduleAttribute.h - The schedule as a module attribute -*- C++ -*-===//
//
// Passes read the schedule from the module, so that a dump says everything that a pass depends on
// and a lit test can state it. `mha.schedule` holds the knobs, `mha.cpu` what is known of the
// processor.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_DIALECT_SCHEDULEATTRIBUTE_H
#define ATTUNE_DIALECT_SCHEDULEATTRIBUTE_H

#include "mlir/IR/BuiltinOps.h"
#include "schedules/CpuSchedule.h"

namespace attune::mha {

void setSchedule(mlir::ModuleOp module, const CpuSchedule &schedule, const CpuTraits &cpu);

/// Reads both attributes; emits an error that names the missing or misspelt key.
mlir::LogicalResult getSchedule(mlir::ModuleOp module, CpuSchedule &schedule, CpuTraits &cpu);

} // namespace attune::mha

#endif
