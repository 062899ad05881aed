//===- TuneCases.h - What attune tune works on ------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_TUNECASES_H
#define ATTUNE_TOOLS_ATTUNE_TUNECASES_H

#include "Common.h"
#include "tuner/TuningProblem.h"

namespace attune::tool {

/// The configurations of the command line, with the sizes of their calls, or the suite: the cases
/// of tools/bench/compare.
llvm::Expected<std::vector<TuningProblem>> tuneCases(const TuneArguments &arguments);

} // namespace attune::tool

#endif
