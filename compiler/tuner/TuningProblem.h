//===- TuningProblem.h - A call to find a schedule for ----------*- C++ -*-===//
#ifndef ATTUNE_TUNER_TUNINGPROBLEM_H
#define ATTUNE_TUNER_TUNINGPROBLEM_H

#include "codegen/cpu/TargetInfo.h"
#include "package/CallTensors.h"
#include "schedules/Knobs.h"
#include <functional>
#include <memory>

namespace attune {

/// What is tuned: one call of a configuration on one machine.
struct TuningProblem {
  Config config;
  cpu::TargetInfo target; ///< whose code this machine runs, as targetFor gives it
  CallSizes sizes;
  int threads = 1;

  CallShape shape() const;
  double flops() const; ///< of the call
};

/// The smaller call whose results are compared with the reference: open sizes are halved until the
/// interpreter, which takes about a second for 10^9 FLOPs, is done soon, and are odd then, so that
/// tiles end in the middle. The same as `problem.sizes` if that is small.
CallSizes checkedSizes(const TuningProblem &problem);

/// Tensors of a call, filled with random numbers, in interface order.
struct TuningCall {
  TuningCall(const Config &config, const CallSizes &sizes);

  CallSizes sizes;
  RandomTensors parameters, inputs;
};

/// What a call must give, with the error that it may have.
struct ReferenceOutput {
  std::vector<double> exact; ///< dense
  double allowed = 0;
};

/// Interprets the configuration in float64 on a call's tensors, in a child process that ends when
/// `stop` becomes true.
llvm::Expected<std::vector<ReferenceOutput>> computeReference(const TuningProblem &problem,
                                                              const TuningCall &call,
                                                              const std::function<bool()> &stop);

} // namespace attune

#endif
