//===- ReferenceCheck.h - attune run --check --------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_REFERENCECHECK_H
#define ATTUNE_TOOLS_ATTUNE_REFERENCECHECK_H

#include "Common.h"

namespace attune::tool {

/// Compares a result with the float64 interpretation of the configuration's graph, and with the
/// tensor `out` of the inputs file where there is one (PyTorch's own result). The bound is twice
/// the error of a naive float32 evaluation plus 1e-6 of the largest magnitude. Prints both errors;
/// an error beyond the bound fails.
llvm::Error checkAgainstReference(const CompiledModule &compiled,
                                  llvm::ArrayRef<attune_tensor> inputs,
                                  llvm::ArrayRef<attune_tensor> parameters, const CallSizes &sizes,
                                  const attune_tensor &out, const attune::TensorFile &inputFile);

} // namespace attune::tool

#endif
