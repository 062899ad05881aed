//===- InterpreterScalar.cpp - arith and math on one number ---------------===//
#include "dialect/InterpreterScalar.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace mlir;

namespace attune::mha::interpreter {

namespace {
using Instruction = ScalarInstruction;

/// Relations of two numbers, as bits.
enum Relation : unsigned { Less = 1, Equal = 2, Greater = 4, Unordered = 8 };

Scalar integer(int64_t value) { return {.integer = value}; }
/// Of arithmetic that wraps around, which is defined for unsigned numbers.
Scalar wrapped(uint64_t value) { return {.integer = static_cast<int64_t>(value)}; }
Scalar real(double value) { return {.real = value}; }

uint64_t bits(Scalar value) { return static_cast<uint64_t>(value.integer); }
/// The operand as the unsigned number of its type.
uint64_t zeroExtended(Scalar value, const Instruction &instruction) {
  const unsigned unused = 64 - instruction.operandWidth;
  return bits(value) << unused >> unused;
}

/// Truncated; the one quotient that overflows wraps around.
int64_t quotient(int64_t a, int64_t b) {
  return b == -1 ? wrapped(-static_cast<uint64_t>(a)).integer : a / b;
}
int64_t remainder(int64_t a, int64_t b) { return b == -1 ? 0 : a % b; }

Scalar floorDivide(const Scalar *x, const Instruction &) {
  const int64_t a = x[0].integer, b = x[1].integer;
  return integer(quotient(a, b) - (remainder(a, b) != 0 && (a < 0) != (b < 0)));
}
Scalar ceilDivide(const Scalar *x, const Instruction &) {
  const int64_t a = x[0].integer, b = x[1].integer;
  return integer(quotient(a, b) + (remainder(a, b) != 0 && (a < 0) == (b < 0)));
}

template <typename Number> unsigned relation(Number a, Number b) {
  return a < b ? Less : a == b ? Equal : a > b ? Greater : Unordered;
}
Scalar compareIntegers(const Scalar *x, const Instruction &instruction) {
  const unsigned found = instruction.isUnsigned ? relation(zeroExtended(x[0], instruction),
                                                           zeroExtended(x[1], instruction))
                                                : relation(x[0].integer, x[1].integer);
  return integer((found & instruction.relations) != 0);
}
Scalar compareReals(const Scalar *x, const Instruction &instruction) {
  return integer((relation(x[0].real, x[1].real) & instruction.relations) != 0);
}

/// The larger (or smaller) number; NaN if either is NaN.
double extremum(double a, double b, bool larger) {
  if (std::isnan(a) || std::isnan(b))
    return a + b;
  return larger ? std::fmax(a, b) : std::fmin(a, b);
}

using Table = llvm::StringMap<Instruction::Evaluate>;

void addIntegerOperations(Table &table) {
  using S = const Scalar *;
  using I = const Instruction &;
  table["arith.addi"] = [](S x, I) { return wrapped(bits(x[0]) + bits(x[1])); };
  table["arith.subi"] = [](S x, I) { return wrapped(bits(x[0]) - bits(x[1])); };
  table["arith.muli"] = [](S x, I) { return wrapped(bits(x[0]) * bits(x[1])); };
  table["arith.andi"] = [](S x, I) { return wrapped(bits(x[0]) & bits(x[1])); };
  table["arith.ori"] = [](S x, I) { return wrapped(bits(x[0]) | bits(x[1])); };
  table["arith.xori"] = [](S x, I) { return wrapped(bits(x[0]) ^ bits(x[1])); };
  table["arith.minsi"] = [](S x, I) { return integer(std::min(x[0].integer, x[1].integer)); };
  table["arith.maxsi"] = [](S x, I) { return integer(std::max(x[0].integer, x[1].integer)); };
  table["arith.divsi"] = [](S x, I) { return integer(quotient(x[0].integer, x[1].integer)); };
  table["arith.remsi"] = [](S x, I) { return integer(remainder(x[0].integer, x[1].integer)); };
  table["arith.floordivsi"] = floorDivide;
  table["arith.ceildivsi"] = ceilDivide;
  table["arith.divui"] = [](S x, I i) {
    return wrapped(zeroExtended(x[0], i) / zeroExtended(x[1], i));
  };
  table["arith.remui"] = [](S x, I i) {
    return wrapped(zeroExtended(x[0], i) % zeroExtended(x[1], i));
  };
  table["arith.cmpi"] = compareIntegers;
  // The result is wrapped to its width, which is all that these three do.
  for (const char *name : {"arith.index_cast", "arith.extsi", "arith.trunci"})
    table[name] = [](S x, I) { return x[0]; };
  table["arith.extui"] = [](S x, I i) { return wrapped(zeroExtended(x[0], i)); };
  table["arith.select"] = [](S x, I) { return x[0].integer != 0 ? x[1] : x[2]; };
}

void addRealOperations(Table &table) {
  using S = const Scalar *;
  using I = const Instruction &;
  table["arith.addf"] = [](S x, I) { return real(x[0].real + x[1].real); };
  table["arith.subf"] = [](S x, I) { return real(x[0].real - x[1].real); };
  table["arith.mulf"] = [](S x, I) { return real(x[0].real * x[1].real); };
  table["arith.divf"] = [](S x, I) { return real(x[0].real / x[1].real); };
  table["arith.negf"] = [](S x, I) { return real(-x[0].real); };
  table["arith.maximumf"] = [](S x, I) { return real(extremum(x[0].real, x[1].real, true)); };
  table["arith.minimumf"] = [](S x, I) { return real(extremum(x[0].real, x[1].real, false)); };
  table["arith.maxnumf"] = [](S x, I) { return real(std::fmax(x[0].real, x[1].real)); };
  table["arith.minnumf"] = [](S x, I) { return real(std::fmin(x[0].real, x[1].real)); };
  table["arith.cmpf"] = compareReals;
  table["arith.sitofp"] = [](S x, I) { return real(static_cast<double>(x[0].integer)); };
  table["arith.uitofp"] = [](S x, I i) { return real(static_cast<double>(zeroExtended(x[0], i))); };
  table["math.absf"] = [](S x, I) { return real(std::fabs(x[0].real)); };
  table["math.exp"] = [](S x, I) { return real(std::exp(x[0].real)); };
  table["math.exp2"] = [](S x, I) { return real(std::exp2(x[0].real)); };
  table["math.log"] = [](S x, I) { return real(std::log(x[0].real)); };
  table["math.sqrt"] = [](S x, I) { return real(std::sqrt(x[0].real)); };
  table["math.tanh"] = [](S x, I) { return real(std::tanh(x[0].real)); };
}

const Table &scalarOperations() {
  static const Table table = [] {
    Table made;
    addIntegerOperations(made);
    addRealOperations(made);
    return made;
  }();
  return table;
}

unsigned relationsOf(arith::CmpIPredicate predicate, bool &isUnsigned) {
  using P = arith::CmpIPredicate;
  isUnsigned = predicate >= P::ult;
  switch (predicate) {
  case P::eq:
    return Equal;
  case P::ne:
    return Less | Greater;
  case P::slt:
  case P::ult:
    return Less;
  case P::sle:
  case P::ule:
    return Less | Equal;
  case P::sgt:
  case P::ugt:
    return Greater;
  case P::sge:
  case P::uge:
    return Greater | Equal;
  }
  llvm_unreachable("all predicates are handled");
}

unsigned relationsOf(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  // ueq .. une, uno mirror oeq .. one, ord and hold for NaN as well.
  switch (predicate) {
  case P::AlwaysFalse:
    return 0;
  case P::AlwaysTrue:
    return Less | Equal | Greater | Unordered;
  case P::OEQ:
    return Equal;
  case P::OGT:
    return Greater;
  case P::OGE:
    return Greater | Equal;
  case P::OLT:
    return Less;
  case P::OLE:
    return Less | Equal;
  case P::ONE:
    return Less | Greater;
  case P::ORD:
    return Less | Equal | Greater;
  case P::UEQ:
    return Equal | Unordered;
  case P::UGT:
    return Greater | Unordered;
  case P::UGE:
    return Greater | Equal | Unordered;
  case P::ULT:
    return Less | Unordered;
  case P::ULE:
    return Less | Equal | Unordered;
  case P::UNE:
    return Less | Greater | Unordered;
  case P::UNO:
    return Unordered;
  }
  llvm_unreachable("all predicates are handled");
}

/// Bits of an integer type; index counts as 64, a float as 0.
unsigned widthOf(Type type) {
  if (type.isIndex())
    return 64;
  return isa<IntegerType>(type) ? type.getIntOrFloatBitWidth() : 0;
}

bool isScalar(Type type) { return type.isIntOrIndexOrFloat() && widthOf(type) <= 64; }
} // namespace

double roundedTo(Rounding rounding, double value) {
  const llvm::fltSemantics *types[] = {nullptr, nullptr, &llvm::APFloat::BFloat(),
                                       &llvm::APFloat::IEEEhalf()};
  if (rounding == Rounding::None)
    return value;
  if (rounding == Rounding::Float32)
    return roundedToFloat32(value);
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(*types[static_cast<int>(rounding)], llvm::APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

std::optional<ScalarInstruction> translateScalar(Operation *op, const InterpreterOptions &options) {
  auto found = scalarOperations().find(op->getName().getStringRef());
  if (found == scalarOperations().end() || op->getNumResults() != 1 ||
      op->getNumOperands() > maxScalarOperands || !llvm::all_of(op->getOperandTypes(), isScalar) ||
      !isScalar(op->getResult(0).getType()))
    return std::nullopt;
  ScalarInstruction instruction;
  instruction.evaluate = found->second;
  instruction.operandWidth = std::max(1u, widthOf(op->getOperand(0).getType()));
  instruction.resultWidth = widthOf(op->getResult(0).getType());
  instruction.rounds = options.rounding != Rounding::None;
  instruction.divides = isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
                            arith::FloorDivSIOp, arith::CeilDivSIOp>(op);
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    instruction.relations = relationsOf(compare.getPredicate(), instruction.isUnsigned);
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    instruction.relations = relationsOf(compare.getPredicate());
  return instruction;
}

std::optional<Scalar> constantScalar(Operation *op, const InterpreterOptions &options) {
  auto constant = dyn_cast<arith::ConstantOp>(op);
  if (!constant || !isScalar(constant.getType()))
    return std::nullopt;
  if (auto number = dyn_cast<IntegerAttr>(constant.getValue()))
    return integer(number.getValue().getSExtValue());
  double value = cast<FloatAttr>(constant.getValue()).getValueAsDouble();
  return real(options.rounding == Rounding::None ? value : roundedToFloat32(value));
}

ElementKind::ElementKind(Type type, const InterpreterOptions &options)
    : isInteger(type.isIntOrIndex()), rounds(!isInteger && options.rounding != Rounding::None) {
  if (isInteger)
    width = widthOf(type);
}

Scalar ElementKind::toScalar(double element) const {
  if (!isInteger)
    return real(element);
  constexpr double limit = 9.2e18;
  return integer(std::fabs(element) < limit ? wrap(static_cast<int64_t>(element), width) : 0);
}

} // namespace attune::mha::interpreter
