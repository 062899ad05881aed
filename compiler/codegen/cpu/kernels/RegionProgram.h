//===- RegionProgram.h - A score or keep region as plain data ---*- C++ -*-===//
//
// The score and keep regions of mha.scores, without MLIR: a list of operations in order of
// evaluation. It is what the Halide generators read, and its text is part of a kernel's key.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_REGIONPROGRAM_H
#define ATTUNE_CODEGEN_CPU_KERNELS_REGIONPROGRAM_H

#include <cstdint>
#include <string>
#include <vector>

namespace attune::cpu {

enum class RegionOpcode {
  // leaves
  Score,       ///< f32: the scaled dot product
  Batch,       ///< i32
  Head,        ///< i32
  QueryIndex,  ///< i32
  KeyIndex,    ///< i32
  TileElement, ///< element (query row, key column) of tile operand `index`; f32, or i32 for bytes
  Scalar,      ///< i32: run-time scalar operand `index`
  FloatConstant,
  IntConstant, ///< i32; also i1 as 0 or 1
  // float arithmetic
  AddF,
  SubF,
  MulF,
  DivF,
  NegF,
  AbsF,
  ExpF,
  LogF, ///< natural
  TanhF,
  SqrtF,
  MinF,
  MaxF,
  // integer arithmetic, on i32
  AddI,
  SubI,
  MulI,
  // comparisons give i1; ordered for floats (false with NaN), except NotEqualF (true with NaN)
  EqualI,
  NotEqualI,
  LessI,
  LessEqualI,
  GreaterI,
  GreaterEqualI,
  EqualF,
  NotEqualF,
  LessF,
  LessEqualF,
  GreaterF,
  GreaterEqualF,
  // logic on i1
  And,
  Or,
  Xor,
  Select, ///< operands: i1, x, y
  IntToFloat
};

struct RegionOperation {
  RegionOpcode opcode;
  std::vector<int> operands; ///< positions of earlier operations
  int index = 0;             ///< TileElement, Scalar
  double constant = 0;       ///< FloatConstant, IntConstant
};

/// An empty program stands for an absent region. The last operation is the result.
struct RegionProgram {
  std::vector<RegionOperation> operations;

  bool empty() const { return operations.empty(); }
  /// One canonical line an operation; equal programs give equal text.
  std::string text() const;
};

} // namespace attune::cpu

#endif
