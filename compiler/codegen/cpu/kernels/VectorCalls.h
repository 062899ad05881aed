//===- VectorCalls.h - Instructions that Halide has no word for -*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_VECTORCALLS_H
#define ATTUNE_CODEGEN_CPU_KERNELS_VECTORCALLS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace attune::cpu {

/// Functions that a Halide pipeline calls as pure extern functions of float32; AVX-512 has them as
/// instructions. f32 NAME(f32 x) gives x - floor(x), and 0 for an infinity.
inline constexpr const char *fractionAboveFunction = "attune_fraction_above";
/// f32 NAME(f32 p, f32 x) gives p * 2^floor(x), and 0 where x is less than -126.
inline constexpr const char *scaledByPowerFunction = "attune_scaled_by_power";

/// Bitcode with these instructions in place of the calls. Halide calls a function lane by lane:
///   v15 = insert v14, f(extract x, 15), 15; v14 = insert v13, f(extract x, 14), 14; ...
/// Calls that make whole registers become one instruction a register, any other one of one lane.
llvm::Expected<std::string> replaceVectorCalls(llvm::StringRef bitcode);

} // namespace attune::cpu

#endif
