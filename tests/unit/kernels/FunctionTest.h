//===- FunctionTest.h - Runs functions of one float -------------*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_KERNELS_FUNCTIONTEST_H
#define ATTUNE_TESTS_UNIT_KERNELS_FUNCTIONTEST_H

#include "KernelTest.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <Halide.h>

namespace attune::cpu::test {

/// An expression of one float, compiled.
class FunctionRunner {
public:
  FunctionRunner(llvm::function_ref<Halide::Expr(const Halide::Expr &x)> make,
                 const KernelTarget &target);

  /// The values at `in`.
  Floats operator()(Floats in) const;

private:
  JitKernel kernel;
};

/// Calls `check` with many floats at a time whose bits are in [first, last]: a sample, which has
/// the first, or all of them when ATTUNE_TEST_EXHAUSTIVE is set.
void forFloats(uint32_t first, uint32_t last, llvm::function_ref<void(const Floats &)> check);

/// The error of `actual` in units of the last place of a float of the size of `exact`. Beyond the
/// range of float32 infinity is right, and the greatest float is off by 1.
double ulpError(float actual, double exact);

} // namespace attune::cpu::test

#endif
