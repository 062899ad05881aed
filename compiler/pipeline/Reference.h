//===- Reference.h - Results against a reference ----------------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_REFERENCE_H
#define ATTUNE_PIPELINE_REFERENCE_H

#include "attune/attune.h"
#include "dialect/Interpreter.h"
#include "frontend/Config.h"

namespace attune {

/// What a naive implementation of a configuration rounds what it multiplies and stores to.
mha::Rounding naiveRounding(const Config &config);

/// The elements of a dense tensor as the interpreter takes them.
mha::Array toArray(const attune_tensor &tensor);

/// Largest absolute difference of a dense tensor from a dense reference; infinite where one side
/// alone is NaN.
double largestError(const attune_tensor &out, llvm::ArrayRef<double> reference);

/// The error of a naive evaluation that rounds what it stores, and the one that a result may have:
/// twice that, plus 1e-6 of the largest magnitude. For 16 bits half a unit in the last place of the
/// largest magnitude takes the place of the latter: the rounding of a result alone may cost as
/// much, and in a small result the naive one may have been lucky.
struct ErrorBound {
  ErrorBound(llvm::ArrayRef<double> exact, llvm::ArrayRef<double> naiveResult,
             mha::Rounding rounding);

  double naive = 0, allowed = 0;
};

} // namespace attune

#endif
