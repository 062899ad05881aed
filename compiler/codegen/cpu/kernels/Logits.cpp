//===- Logits.cpp - Scores of one tile into memory ------------------------===//

#include "codegen/cpu/kernels/Scoring.h"

namespace attune::cpu {

using Halide::Func;

namespace {

class LogitsKernel : ScoringKernel {
public:
  LogitsKernel(const LogitsSpec &spec, const KernelTarget &target)
      : ScoringKernel(spec, target, /*foldScale=*/false) {}

  Recipe build(ScoringPart part) {
    std::vector<Func> outputs;
    if (part == ScoringPart::Softmax) {
      readScores(std::nullopt);
    } else {
      defineScores();
      outputs.push_back(score);
    }
    if (part != ScoringPart::Products) {
      defineMaximum();
      outputs.push_back(maxOut);
    }
    for (Func &output : outputs)
      constrainOutput(output);
    std::vector<Halide::Argument> arguments{query, key, maxIn};
    appendArguments(arguments);
    return {outputs, arguments};
  }
};

} // namespace

template <> Kernel describeKernel(const LogitsSpec &spec, const KernelTarget &target) {
  return {kernelSymbol(scoringPrefix("logits", spec), scoringKey(spec), target),
          scoringArguments(spec, {1}, {2, 1}, 0),
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const LogitsSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return LogitsKernel(spec, target).build(spec.part); });
}

} // namespace attune::cpu
