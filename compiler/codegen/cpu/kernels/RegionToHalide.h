//===- RegionToHalide.h - Score and keep regions as expressions -*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_REGIONTOHALIDE_H
#define ATTUNE_CODEGEN_CPU_KERNELS_REGIONTOHALIDE_H

#include "codegen/cpu/kernels/RegionProgram.h"
#include <Halide.h>

namespace attune::cpu {

/// The values of a region's leaves at one (query row, key column).
struct RegionLeaves {
  Halide::Expr score, batch, head, queryIndex, keyIndex;
  std::vector<Halide::Expr> tileElements; ///< f32 or i32, by operand
  std::vector<Halide::Expr> scalars;      ///< i32, by operand
};

/// The result of a program that is not empty: f32 for a score region, i1 for a keep region (an
/// integer result is compared with 0). Throws Halide::CompileError when the program is malformed.
Halide::Expr scoreExpression(const RegionProgram &program, const RegionLeaves &leaves);
Halide::Expr keepExpression(const RegionProgram &program, const RegionLeaves &leaves);

} // namespace attune::cpu

#endif
