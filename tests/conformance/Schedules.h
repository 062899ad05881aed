//===- Schedules.h - Legal schedules with tiny or odd tiles -----*- C++ -*-===//
//
// They make many tiles, and every kind of tail, occur in small shapes.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TESTS_CONFORMANCE_SCHEDULES_H
#define ATTUNE_TESTS_CONFORMANCE_SCHEDULES_H

#include "schedules/CpuSchedule.h"

namespace attune::conformance {

enum class Tiles {
  Default,
  Minimal, ///< one row, one vector everywhere
  Small,   ///< several register blocks a tile
  Odd,     ///< no power of two anywhere
  Wide,    ///< one row of many vectors
  Tall,    ///< twelve rows of one vector
};

CpuSchedule scheduleOf(Tiles tiles, const ScheduleProblem &problem, const CpuTraits &cpu);

} // namespace attune::conformance

#endif
