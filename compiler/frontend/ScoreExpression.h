//===- ScoreExpression.h - A checked score expression -----------*- C++ -*-===//
//
// What stands under the key `score`, as a list of operations. Everything is float32; conditions are
// the operands of `and`, `or`, `not` and the first operand of `where`, nothing else.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_COMPILER_FRONTEND_SCOREEXPRESSION_H
#define ATTUNE_COMPILER_FRONTEND_SCOREEXPRESSION_H

#include <array>
#include <cstdint>
#include <vector>

namespace attune {

enum class ScoreOp : uint8_t {
  // Leaves: numbers. The lengths, head count and head width are those of the call.
  Number,
  Score,
  Batch,
  Head,
  QueryIndex,
  KeyIndex,
  TargetLength,
  SourceLength,
  HeadCount,
  HeadDim,
  // Numbers of one or two numbers. Min and Max are NaN if an operand is.
  Add,
  Subtract,
  Multiply,
  Divide,
  Negate,
  Min,
  Max,
  Abs,
  Exp,
  Log,
  Tanh,
  Sqrt,
  // A number of a condition and two numbers.
  Where,
  // Conditions of two numbers: false if one is NaN, but NotEqual is true then.
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Equal,
  NotEqual,
  // Conditions of conditions.
  And,
  Or,
  Not
};

inline bool isCondition(ScoreOp op) { return op >= ScoreOp::Less; }

/// Whether an operand of `op` must be a condition; if not, it must be a number.
inline bool takesCondition(ScoreOp op, unsigned operand) {
  return op >= ScoreOp::And || (op == ScoreOp::Where && operand == 0);
}

struct ScoreNode {
  ScoreOp op;
  float number = 0;                      ///< of Number
  std::array<unsigned, 3> operands = {}; ///< positions of earlier nodes, as many as `op` takes
};

/// Operations after their operands; the last is the result, a number.
struct ScoreExpression {
  std::vector<ScoreNode> nodes;

  /// Whether this is just `s`.
  bool isIdentity() const { return nodes.size() == 1 && nodes.front().op == ScoreOp::Score; }
};

} // namespace attune

#endif
