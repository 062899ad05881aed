//===- InterpretPhase.h - Runs the IR of a phase ----------------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_INTERPRETPHASE_H
#define ATTUNE_PIPELINE_INTERPRETPHASE_H

#include "codegen/cpu/TargetInfo.h"
#include "dialect/Interpreter.h"
#include "frontend/Interface.h"
#include "pipeline/Phase.h"

namespace attune {

/// What a call of a configuration's function gets, in interface order.
struct InterpreterCall {
  std::vector<mha::Array> inputs, parameters;
  CallSizes sizes;
};

/// Compiles a configuration up to `phase` (Module, Graph or Tiles) and runs that IR in float64, or
/// in naive float32 by `options`. Returns what interfaceOutputs lists, in its order. The same call
/// gives the same results at every phase but for rounding, so that a wrong result names the phase
/// that broke it.
llvm::Expected<std::vector<mha::Array>> interpretPhase(const Config &config,
                                                       const cpu::TargetInfo &target,
                                                       const CpuSchedule &schedule, Phase phase,
                                                       const InterpreterCall &call,
                                                       const mha::InterpreterOptions &options = {});

} // namespace attune

#endif
