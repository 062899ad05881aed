//===- ReferenceCheck.cpp - attune run --check ----------------------------===//
#include "ReferenceCheck.h"

#include "pipeline/InterpretPhase.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace llvm;

namespace attune::tool {

namespace {
/// Element `index`, counted densely, of a dense tensor.
double element(const attune_tensor &tensor, size_t index) {
  switch (tensor.dtype) {
  case ATTUNE_FLOAT32:
    return static_cast<const float *>(tensor.data)[index];
  case ATTUNE_FLOAT64:
    return static_cast<const double *>(tensor.data)[index];
  default: // masks
    return static_cast<const uint8_t *>(tensor.data)[index];
  }
}

size_t elementCount(const attune_tensor &tensor) {
  size_t count = 1;
  for (int32_t k = 0; k < tensor.rank; ++k)
    count *= static_cast<size_t>(tensor.sizes[k]);
  return count;
}

mha::Array toArray(const attune_tensor &tensor) {
  mha::Array array = mha::Array::filled(ArrayRef<int64_t>(tensor.sizes, tensor.rank));
  for (size_t k = 0; k < array.storage->size(); ++k)
    (*array.storage)[k] = element(tensor, k);
  return array;
}

/// Largest absolute difference; infinite where one side alone is NaN.
double largestError(const attune_tensor &out, ArrayRef<double> reference) {
  double error = 0;
  for (auto [k, expected] : enumerate(reference)) {
    const double found = element(out, k);
    if (std::isnan(found) != std::isnan(expected))
      return INFINITY;
    if (found != expected && !std::isnan(found))
      error = std::max(error, std::abs(found - expected));
  }
  return error;
}

/// What the interpreter says of one phase, densely.
class Reference {
public:
  Reference(const CompiledModule &compiled, InterpreterCall call)
      : compiled(compiled), call(std::move(call)) {}

  Expected<std::vector<double>> run(Phase phase, bool roundToFloat32 = false) const {
    mha::InterpreterOptions options;
    options.roundToFloat32 = roundToFloat32;
    auto result =
        interpretPhase(compiled.config, compiled.target, compiled.schedule, phase, call, options);
    if (!result)
      return result.takeError();
    return *result->dense().storage;
  }

private:
  const CompiledModule &compiled;
  InterpreterCall call;
};

/// Says which phase's IR still gives the reference's numbers, after a result was wrong.
std::string blame(const Reference &reference, ArrayRef<double> exact, double bound) {
  for (Phase phase : {Phase::Graph, Phase::Tiles}) {
    auto result = reference.run(phase);
    const char *name = phaseInfo(phase).name.data();
    if (!result)
      return formatv("; phase {0} does not run: {1}", name, toString(result.takeError()));
    for (auto [found, expected] : zip(*result, exact))
      if (!(std::abs(found - expected) <= bound) && !(std::isnan(found) && std::isnan(expected)))
        return formatv("; the IR of phase {0} is the first that is wrong", name);
  }
  return "; the IR is right up to the tiles, the generated code is wrong";
}

Error report(const char *what, double error, double bound) {
  outs() << "check: largest error against " << what << " " << format("%.3g", error) << ", allowed "
         << format("%.3g", bound) << "\n";
  if (error <= bound)
    return Error::success();
  return createStringError("check failed: the error against %s is %.3g, allowed is %.3g", what,
                           error, bound);
}
} // namespace

Error checkAgainstReference(const CompiledModule &compiled, ArrayRef<attune_tensor> inputs,
                            ArrayRef<attune_tensor> parameters, const CallSizes &sizes,
                            const attune_tensor &out, const attune::TensorFile &inputFile) {
  InterpreterCall call;
  for (const attune_tensor &tensor : inputs)
    call.inputs.push_back(toArray(tensor));
  for (const attune_tensor &tensor : parameters)
    call.parameters.push_back(toArray(tensor));
  call.sizes = sizes;
  Reference reference(compiled, std::move(call));
  auto exact = reference.run(Phase::Module);
  if (!exact)
    return exact.takeError();
  auto naive = reference.run(Phase::Module, /*roundToFloat32=*/true);
  if (!naive)
    return naive.takeError();
  double naiveError = 0, magnitude = 0;
  for (auto [a, b] : zip(*exact, *naive)) {
    if (std::isfinite(a) && std::isfinite(b))
      naiveError = std::max(naiveError, std::abs(a - b));
    if (std::isfinite(a))
      magnitude = std::max(magnitude, std::abs(a));
  }
  const double bound = 2 * naiveError + 1e-6 * magnitude;
  if (Error error = report("the float64 reference", largestError(out, *exact), bound))
    return createStringError("%s%s", toString(std::move(error)).c_str(),
                             blame(reference, *exact, bound).c_str());
  if (!inputFile.contains("out"))
    return Error::success();
  attune_tensor expected = inputFile.get("out");
  if (expected.dtype != ATTUNE_FLOAT32 || elementCount(expected) != elementCount(out))
    return createStringError("check failed: the file's tensor 'out' has another dtype or size");
  // PyTorch's own float32 result is off by about as much as the naive one.
  std::vector<double> torch(elementCount(expected));
  for (size_t k = 0; k < torch.size(); ++k)
    torch[k] = element(expected, k);
  return report("the file's tensor 'out'", largestError(out, torch), bound + naiveError);
}

} // namespace attune::tool
