//===- RegionToHalide.cpp - Score and keep regions as expressions ---------===//
//
// One table: opcode -> number of operands, their kind, and the expression. Halide takes a <= b for
// !(b < a), which is true with NaN: hence the two comparisons in its place.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/RegionToHalide.h"
#include "codegen/cpu/kernels/FloatMath.h"

namespace attune::cpu {

using Halide::Expr;

namespace {

enum class OperandKind { None, Float, Int, Bool, Choice };

struct Context {
  const RegionOperation &operation;
  const RegionLeaves &leaves;
};
using Operands = std::vector<Expr>;

struct Translation {
  RegionOpcode opcode;
  size_t arity;
  OperandKind kind;
  Expr (*make)(const Context &context, const Operands &operands);
};

/// The smaller or larger of two floats; NaN if either is NaN.
Expr propagateNaN(const Expr &a, const Expr &b, const Expr &pickA) {
  return Halide::select(a != a, a, Halide::select(pickA, a, b));
}

#define LEAF(OPCODE, VALUE)                                                                        \
  {RegionOpcode::OPCODE, 0, OperandKind::None,                                                     \
   [](const Context &c, const Operands &) -> Expr { return VALUE; }}
#define UNARY(OPCODE, VALUE)                                                                       \
  {RegionOpcode::OPCODE, 1, OperandKind::Float, [](const Context &, const Operands &x) -> Expr {   \
     const Expr &a = x[0];                                                                         \
     return VALUE;                                                                                 \
   }}
#define BINARY(OPCODE, KIND, VALUE)                                                                \
  {RegionOpcode::OPCODE, 2, OperandKind::KIND, [](const Context &, const Operands &x) -> Expr {    \
     const Expr &a = x[0], &b = x[1];                                                              \
     return VALUE;                                                                                 \
   }}

const Translation translations[] = {
    LEAF(Score, c.leaves.score),
    LEAF(Batch, c.leaves.batch),
    LEAF(Head, c.leaves.head),
    LEAF(QueryIndex, c.leaves.queryIndex),
    LEAF(KeyIndex, c.leaves.keyIndex),
    LEAF(TileElement, c.leaves.tileElements.at(c.operation.index)),
    LEAF(Scalar, c.leaves.scalars.at(c.operation.index)),
    LEAF(FloatConstant, Expr(static_cast<float>(c.operation.constant))),
    LEAF(IntConstant, Expr(static_cast<int32_t>(c.operation.constant))),
    BINARY(AddF, Float, a + b),
    BINARY(SubF, Float, a - b),
    BINARY(MulF, Float, a *b),
    BINARY(DivF, Float, a / b),
    UNARY(NegF, a * -1.0f),
    UNARY(AbsF, abs(a)),
    UNARY(ExpF, expFloat(a)),
    UNARY(LogF, logFloat(a)),
    UNARY(TanhF, tanhFloat(a)),
    UNARY(SqrtF, sqrt(a)),
    BINARY(MinF, Float, propagateNaN(a, b, a < b)),
    BINARY(MaxF, Float, propagateNaN(a, b, b < a)),
    BINARY(AddI, Int, a + b),
    BINARY(SubI, Int, a - b),
    BINARY(MulI, Int, a *b),
    BINARY(EqualI, Int, a == b),
    BINARY(NotEqualI, Int, a != b),
    BINARY(LessI, Int, a < b),
    BINARY(LessEqualI, Int, a <= b),
    BINARY(GreaterI, Int, a > b),
    BINARY(GreaterEqualI, Int, a >= b),
    BINARY(EqualF, Float, a == b),
    BINARY(NotEqualF, Float, a != b),
    BINARY(LessF, Float, a < b),
    BINARY(LessEqualF, Float, a < b || a == b),
    BINARY(GreaterF, Float, b < a),
    BINARY(GreaterEqualF, Float, b < a || a == b),
    BINARY(And, Bool, a &&b),
    BINARY(Or, Bool, a || b),
    BINARY(Xor, Bool, (a && !b) || (!a && b)),
    {RegionOpcode::Select, 3, OperandKind::Choice,
     [](const Context &, const Operands &x) -> Expr { return Halide::select(x[0], x[1], x[2]); }},
    {RegionOpcode::IntToFloat, 1, OperandKind::Int,
     [](const Context &, const Operands &x) -> Expr { return Halide::cast<float>(x[0]); }},
};

#undef LEAF
#undef UNARY
#undef BINARY

[[noreturn]] void malformed(const std::string &what) {
  throw Halide::CompileError(("malformed region: " + what).c_str());
}

Expr toBool(const Expr &value) {
  if (value.type().is_float())
    malformed("a float where i1 is expected");
  return value.type().is_bool() ? value : value != 0;
}

Expr toInt(const Expr &value) {
  if (value.type().is_float())
    malformed("a float where an integer is expected");
  return value.type().is_bool() ? Halide::cast<int32_t>(value) : value;
}

Expr toFloat(const Expr &value) {
  if (!value.type().is_float())
    malformed("an integer where a float is expected");
  return value;
}

void convertOperands(OperandKind kind, Operands &operands) {
  if (kind == OperandKind::Choice) {
    operands[0] = toBool(operands[0]);
    const bool floats = operands[1].type().is_float();
    for (Expr *arm : {&operands[1], &operands[2]})
      *arm = floats ? toFloat(*arm) : toInt(*arm);
    return;
  }
  for (Expr &operand : operands)
    operand = kind == OperandKind::Float  ? toFloat(operand)
              : kind == OperandKind::Int  ? toInt(operand)
              : kind == OperandKind::Bool ? toBool(operand)
                                          : operand;
}

const Translation &translationOf(RegionOpcode opcode) {
  for (const Translation &translation : translations)
    if (translation.opcode == opcode)
      return translation;
  malformed("an unknown operation");
}

Expr translate(const RegionProgram &program, const RegionLeaves &leaves) {
  std::vector<Expr> values;
  for (const RegionOperation &operation : program.operations) {
    const Translation &translation = translationOf(operation.opcode);
    if (operation.operands.size() != translation.arity)
      malformed("a wrong number of operands");
    Operands operands;
    for (int position : operation.operands)
      operands.push_back(values.at(position));
    convertOperands(translation.kind, operands);
    values.push_back(translation.make({operation, leaves}, operands));
  }
  return values.back();
}

} // namespace

Expr scoreExpression(const RegionProgram &program, const RegionLeaves &leaves) {
  return toFloat(translate(program, leaves));
}

Expr keepExpression(const RegionProgram &program, const RegionLeaves &leaves) {
  return toBool(translate(program, leaves));
}

} // namespace attune::cpu
