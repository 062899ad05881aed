//===- Logits.cpp - Scores of one tile into memory ------------------------===//

#include "codegen/cpu/kernels/Scoring.h"

namespace attune::cpu {

using Halide::Func;

namespace {

class LogitsKernel : ScoringKernel {
public:
  LogitsKernel(const LogitsSpec &spec, const KernelTarget &target)
      : ScoringKernel(spec, target, /*foldScale=*/false) {}

  Recipe build() {
    defineScores();
    defineMaximum();
    for (Func *output : {&score, &maxOut})
      constrainOutput(*output);
    std::vector<Halide::Argument> arguments{query, key, maxIn};
    appendArguments(arguments);
    return {{score, maxOut}, arguments};
  }
};

} // namespace

template <> Kernel describeKernel(const LogitsSpec &spec, const KernelTarget &target) {
  return {kernelSymbol(scoringPrefix("logits", spec), scoringKey(spec), target),
          scoringArguments(spec, {1}, {2, 1}),
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const LogitsSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return LogitsKernel(spec, target).build(); });
}

} // namespace attune::cpu
