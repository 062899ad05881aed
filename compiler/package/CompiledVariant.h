//===- CompiledVariant.h - The code of one target in an object --*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_COMPILEDVARIANT_H
#define ATTUNE_PACKAGE_COMPILEDVARIANT_H

#include "codegen/cpu/TargetInfo.h"
#include "schedules/CpuSchedule.h"

namespace attune {

/// The code of one target within an object.
struct CompiledVariant {
  cpu::TargetInfo target;
  CpuSchedule schedule;
  uint64_t hash = 0; ///< contentHash
};

} // namespace attune

#endif
