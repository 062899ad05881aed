//===- Reference.h - Results against a reference ----------------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_REFERENCE_H
#define ATTUNE_PIPELINE_REFERENCE_H

#include "attune/attune.h"
#include "dialect/Interpreter.h"
#include "frontend/Config.h"

namespace attune {

/// What a naive implementation of a configuration rounds what it stores to: its dtype.
mha::Rounding naiveRounding(const Config &config);

/// The elements of a dense tensor as the interpreter takes them.
mha::Array toArray(const attune_tensor &tensor);

/// Largest absolute difference of a dense tensor from a dense reference; infinite where one side
/// alone is NaN.
double largestError(const attune_tensor &out, llvm::ArrayRef<double> reference);

/// The error of a naive evaluation in the same type, and the one that a result may have: twice
/// that, plus 1e-6 of the largest magnitude.
struct ErrorBound {
  ErrorBound(llvm::ArrayRef<double> exact, llvm::ArrayRef<double> naiveResult);

  double naive = 0, allowed = 0;
};

} // namespace attune

#endif
