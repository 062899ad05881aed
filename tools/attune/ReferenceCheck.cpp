//===- ReferenceCheck.cpp - attune run --check ----------------------------===//
#include "ReferenceCheck.h"

#include "CallTensors.h"
#include "pipeline/InterpretPhase.h"
#include "pipeline/Reference.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace llvm;

namespace attune::tool {

namespace {
using Values = std::vector<double>;

/// What the interpreter says of one phase: the outputs in interface order, densely.
class Reference {
public:
  Reference(const CompiledModule &compiled, InterpreterCall call)
      : compiled(compiled), call(std::move(call)) {}

  /// The exact result, or that of a naive implementation in the configuration's dtype.
  Expected<std::vector<Values>> run(Phase phase, bool naive = false) const {
    mha::InterpreterOptions options;
    if (naive)
      options.rounding = naiveRounding(compiled.config);
    auto results =
        interpretPhase(compiled.config, compiled.target, compiled.schedule, phase, call, options);
    if (!results)
      return results.takeError();
    std::vector<Values> outputs;
    for (const mha::Array &result : *results)
      outputs.push_back(*result.dense().storage);
    return outputs;
  }

private:
  const CompiledModule &compiled;
  InterpreterCall call;
};

/// Says which phase's IR still gives the reference's numbers for an output, after the result was
/// wrong.
std::string blame(const Reference &reference, size_t output, ArrayRef<double> exact, double bound) {
  for (Phase phase : {Phase::Graph, Phase::Tiles}) {
    auto results = reference.run(phase);
    const char *name = phaseInfo(phase).name.data();
    if (!results)
      return formatv("; phase {0} does not run: {1}", name, toString(results.takeError()));
    for (auto [found, expected] : zip((*results)[output], exact))
      if (!(std::abs(found - expected) <= bound) && !(std::isnan(found) && std::isnan(expected)))
        return formatv("; the IR of phase {0} is the first that is wrong", name);
  }
  return "; the IR is right up to the tiles, the generated code is wrong";
}

Error report(StringRef name, const char *what, double error, double bound) {
  outs() << "check: " << name << ": largest error against " << what << " " << format("%.3g", error)
         << ", allowed " << format("%.3g", bound) << "\n";
  if (error <= bound)
    return Error::success();
  return createStringError("check failed: %s: the error against %s is %.3g, allowed is %.3g",
                           name.str().c_str(), what, error, bound);
}

/// Compares an output with the tensor of its name in a file.
Error compareWithFile(StringRef name, const attune_tensor &output, const attune_tensor &expected,
                      const ErrorBound &bound) {
  if (expected.dtype != output.dtype ||
      ArrayRef(expected.sizes, expected.rank) != ArrayRef(output.sizes, output.rank))
    return createStringError("check failed: the file's tensor '%s' has another dtype or shape",
                             name.str().c_str());
  // PyTorch's own result is off by about as much as the naive one.
  return report(name, "the file's tensor", largestError(output, *toArray(expected).storage),
                bound.allowed + bound.naive);
}
} // namespace

Error checkAgainstReference(const CompiledModule &compiled, const FinishedCall &call,
                            const attune::TensorFile &inputFile) {
  InterpreterCall interpreted;
  for (const attune_tensor &tensor : call.inputs)
    interpreted.inputs.push_back(toArray(tensor));
  for (const attune_tensor &tensor : call.parameters)
    interpreted.parameters.push_back(toArray(tensor));
  interpreted.sizes = call.sizes;
  Reference reference(compiled, std::move(interpreted));
  auto exact = reference.run(Phase::Module);
  if (!exact)
    return exact.takeError();
  auto naive = reference.run(Phase::Module, /*naive=*/true);
  if (!naive)
    return naive.takeError();
  Error failures = Error::success();
  for (auto [k, spec] : enumerate(interfaceOutputs(compiled.config))) {
    const ErrorBound bound((*exact)[k], (*naive)[k], naiveRounding(compiled.config));
    const attune_tensor &output = call.outputs[k];
    if (Error error = report(spec.name, "the float64 reference", largestError(output, (*exact)[k]),
                             bound.allowed))
      failures =
          joinErrors(std::move(failures),
                     createStringError("%s%s", toString(std::move(error)).c_str(),
                                       blame(reference, k, (*exact)[k], bound.allowed).c_str()));
    if (inputFile.contains(spec.name))
      failures = joinErrors(std::move(failures),
                            compareWithFile(spec.name, output, inputFile.get(spec.name), bound));
  }
  return failures;
}

} // namespace attune::tool
