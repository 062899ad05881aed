//===- ReferenceCheck.h - attune run --check --------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_REFERENCECHECK_H
#define ATTUNE_TOOLS_ATTUNE_REFERENCECHECK_H

#include "Common.h"

namespace attune::tool {

/// A call that was made, with its results; tensors in interface order.
struct FinishedCall {
  llvm::ArrayRef<attune_tensor> inputs, parameters, outputs;
  CallSizes sizes;
};

/// Compares each output with the float64 interpretation of the configuration's graph, and with the
/// tensor of its name (`out`, `weights`) in the inputs file where there is one (PyTorch's own
/// result). The bound is twice the error of a naive float32 evaluation plus 1e-6 of the largest
/// magnitude. Prints all errors; one beyond its bound fails.
llvm::Error checkAgainstReference(const CompiledModule &compiled, const FinishedCall &call,
                                  const attune::TensorFile &inputFile);

} // namespace attune::tool

#endif
