//===- ReferenceCheck.cpp - attune run --check ----------------------------===//
#include "ReferenceCheck.h"

#include "dialect/Interpreter.h"
#include "frontend/BuildGraph.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "pipeline/Pipeline.h"
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

Expected<std::vector<double>> interpret(mlir::ModuleOp module, ArrayRef<mha::Array> arguments,
                                        bool roundToFloat32) {
  mha::InterpreterOptions options;
  options.roundToFloat32 = roundToFloat32;
  auto results =
      mha::interpretGraph(module.lookupSymbol<mlir::func::FuncOp>("forward"), arguments, options);
  if (!results)
    return results.takeError();
  return *results->front().dense().storage;
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

Error checkAgainstReference(const Config &config, ArrayRef<attune_tensor> inputs,
                            ArrayRef<attune_tensor> parameters, const attune_tensor &out,
                            const attune::TensorFile &inputFile) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  loadDialects(context);
  auto module = buildGraph(config, context);
  std::vector<mha::Array> arguments;
  for (ArrayRef<attune_tensor> list : {inputs, parameters})
    for (const attune_tensor &tensor : list)
      arguments.push_back(toArray(tensor));
  auto exact = interpret(*module, arguments, false);
  if (!exact)
    return exact.takeError();
  auto naive = interpret(*module, arguments, true);
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
    return error;
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
