//===- FastMath.h - The floating-point contract of kernels ------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_FASTMATH_H
#define ATTUNE_CODEGEN_CPU_KERNELS_FASTMATH_H

namespace llvm {
class Module;
}

namespace attune::cpu {

/// Makes the fast-math flags of every instruction exactly `contract`: products and sums may fuse,
/// while infinities, NaN and signed zeros keep their meaning. Drops the module flags of Halide and
/// the function attributes that would say otherwise.
void cutFastMathFlags(llvm::Module &module);

} // namespace attune::cpu

#endif
