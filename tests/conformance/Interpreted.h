//===- Interpreted.h - Problems run by the compiler's interpreters -*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_INTERPRETED_H
#define ATTUNE_TESTS_CONFORMANCE_INTERPRETED_H

#include "Problem.h"
#include "pipeline/InterpretPhase.h"

namespace attune::conformance {

/// The phases that have an interpreter.
inline constexpr Phase interpretedPhases[] = {Phase::Module, Phase::Graph, Phase::Tiles};

/// What the program computes at `phase`, in float64; throws std::runtime_error with the compiler's
/// message.
Results<double> interpreted(const Problem &problem, const cpu::TargetInfo &target,
                            const CpuSchedule &schedule, Phase phase);

/// Compares with the float64 truth: nothing but the order of sums differs. Returns "" when all is
/// well, else what is wrong and where.
std::string compareExactly(const Results<double> &found, const Results<double> &exact);

} // namespace attune::conformance

#endif
