//===- Logits.cpp - Scores of one tile into memory ------------------------===//

#include "codegen/cpu/kernels/Scoring.h"

namespace attune::cpu {

using Halide::Func;

namespace {

class LogitsKernel : ScoringKernel {
public:
  LogitsKernel(const LogitsSpec &spec, const KernelTarget &target)
      : ScoringKernel(spec, target, /*foldScale=*/false), spec(spec) {}

  Recipe build() {
    std::vector<Func> outputs;
    if (spec.part == ScoringPart::Softmax || !storesScores(spec)) {
      readScores(std::nullopt);
    } else {
      defineScores();
      outputs.push_back(score);
    }
    if (spec.part != ScoringPart::Products) {
      defineMaximum();
      outputs.push_back(maxOut);
    }
    for (Func &output : outputs)
      constrainOutput(output);
    std::vector<Halide::Argument> arguments{query, key, maxIn};
    if (spec.hasProducts)
      arguments = {stored, maxIn};
    appendArguments(arguments);
    return {outputs, arguments};
  }

private:
  const LogitsSpec &spec;
};

} // namespace

bool storesScores(const LogitsSpec &spec) {
  return !spec.hasProducts || spec.scale != 1 || !spec.score.empty() || !spec.keep.empty();
}

template <> Kernel describeKernel(const LogitsSpec &spec, const KernelTarget &target) {
  Kernel kernel{kernelSymbol(scoringPrefix("logits", spec), scoringKey(spec), target), {}, {}};
  if (storesScores(spec))
    kernel.arguments = scoringArguments(spec, {1}, {2, 1}, 0);
  else
    kernel.arguments = scoringArguments(spec, {1}, {1}, std::nullopt);
  return kernel;
}

template <>
llvm::Expected<Kernel> generateKernel(const LogitsSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return LogitsKernel(spec, target).build(); });
}

} // namespace attune::cpu
