//===- InterpreterScalar.h - arith and math on one number -------*- C++ -*-===//
#ifndef ATTUNE_DIALECT_INTERPRETERSCALAR_H
#define ATTUNE_DIALECT_INTERPRETERSCALAR_H

#include "dialect/Interpreter.h"
#include <optional>

namespace attune::mha::interpreter {

/// A value of an integer, index or float type. Integers are sign-extended: true is -1.
union Scalar {
  int64_t integer = 0;
  double real;
};

/// The most operands of a scalar operation (arith.select).
inline constexpr unsigned maxScalarOperands = 3;

/// An operation of arith or math, translated once and run often.
struct ScalarInstruction {
  using Evaluate = Scalar (*)(const Scalar *operands, const ScalarInstruction &instruction);

  Evaluate evaluate = nullptr;
  unsigned operandWidth = 64; ///< bits of the first integer operand
  unsigned resultWidth = 0;   ///< bits of an integer result; 0: a float
  unsigned relations = 0;     ///< of a comparison: the relations for which it holds
  bool isUnsigned = false;    ///< of an integer comparison
  bool divides = false;
  bool rounds = false; ///< the result to float32
};

/// The operation as an instruction; nullopt when it is not a scalar operation that is known.
std::optional<ScalarInstruction> translateScalar(mlir::Operation *op,
                                                 const InterpreterOptions &options);

/// The value of an arith.constant of a scalar type.
std::optional<Scalar> constantScalar(mlir::Operation *op, const InterpreterOptions &options);

/// The low `width` bits, sign-extended.
inline int64_t wrap(int64_t value, unsigned width) {
  const unsigned unused = 64 - width;
  return static_cast<int64_t>(static_cast<uint64_t>(value) << unused) >> unused;
}

inline double roundedToFloat32(double value) { return static_cast<float>(value); }

/// The nearest number of a type, ties to even.
double roundedTo(Rounding rounding, double value);

/// Runs one instruction; false on a division by zero.
inline bool run(const ScalarInstruction &instruction, const Scalar *operands, Scalar &result) {
  if (instruction.divides && operands[1].integer == 0)
    return false;
  result = instruction.evaluate(operands, instruction);
  if (instruction.resultWidth != 0)
    result.integer = wrap(result.integer, instruction.resultWidth);
  else if (instruction.rounds)
    result.real = roundedToFloat32(result.real);
  return true;
}

/// How elements of an array, which are doubles, become scalars and the other way.
class ElementKind {
public:
  ElementKind(mlir::Type type, const InterpreterOptions &options);

  /// An undefined integer element is 0.
  Scalar toScalar(double element) const;
  double toElement(Scalar value) const {
    return isInteger ? static_cast<double>(value.integer) : toElement(value.real);
  }
  double toElement(double value) const { return rounds ? roundedToFloat32(value) : value; }

private:
  bool isInteger, rounds;
  unsigned width = 64;
};

} // namespace attune::mha::interpreter

#endif
