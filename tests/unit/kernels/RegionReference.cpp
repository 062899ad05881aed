//===- RegionReference.cpp - Evaluates region programs in double ----------===//

#include "RegionReference.h"
#include <cmath>
#include <cstdlib>

namespace attune::cpu::test {

static double single(double value) { return static_cast<float>(value); }

static double evaluateLeaf(const RegionOperation &operation, const RegionPoint &point) {
  switch (operation.opcode) {
  case RegionOpcode::Score:
    return point.score;
  case RegionOpcode::Batch:
    return point.batch;
  case RegionOpcode::Head:
    return point.head;
  case RegionOpcode::QueryIndex:
    return point.queryIndex;
  case RegionOpcode::KeyIndex:
    return point.keyIndex;
  case RegionOpcode::TileElement:
    return point.tileElements.at(operation.index);
  case RegionOpcode::Scalar:
    return point.scalars.at(operation.index);
  default:
    return single(operation.constant);
  }
}

static double evaluateBinary(RegionOpcode opcode, double a, double b) {
  using O = RegionOpcode;
  const bool nan = std::isnan(a) || std::isnan(b);
  switch (opcode) {
  case O::AddF:
  case O::AddI:
    return single(a + b);
  case O::SubF:
  case O::SubI:
    return single(a - b);
  case O::MulF:
  case O::MulI:
    return single(a * b);
  case O::DivF:
    return single(a / b);
  case O::MinF:
    return nan ? NAN : std::fmin(a, b);
  case O::MaxF:
    return nan ? NAN : std::fmax(a, b);
  case O::EqualI:
  case O::EqualF:
    return a == b;
  case O::NotEqualI:
  case O::NotEqualF:
  case O::Xor:
    return a != b;
  case O::LessI:
  case O::LessF:
    return a < b;
  case O::LessEqualI:
  case O::LessEqualF:
    return a <= b;
  case O::GreaterI:
  case O::GreaterF:
    return a > b;
  case O::GreaterEqualI:
  case O::GreaterEqualF:
    return a >= b;
  case O::And:
    return a != 0 && b != 0;
  case O::Or:
    return a != 0 || b != 0;
  default:
    std::abort();
  }
}

/// Nothing for an operation that is not a function of one value.
static std::optional<double> evaluateUnary(RegionOpcode opcode, double a) {
  using O = RegionOpcode;
  switch (opcode) {
  case O::NegF:
    return -a;
  case O::AbsF:
    return std::abs(a);
  case O::ExpF:
    return single(std::exp(a));
  case O::LogF:
    return single(std::log(a));
  case O::TanhF:
    return single(std::tanh(a));
  case O::SqrtF:
    return single(std::sqrt(a));
  case O::IntToFloat:
    return single(a);
  default:
    return std::nullopt;
  }
}

std::optional<double> evaluate(const RegionProgram &program, const RegionPoint &point) {
  if (program.empty())
    return std::nullopt;
  std::vector<double> values;
  for (const RegionOperation &operation : program.operations) {
    auto operand = [&](int i) { return values.at(operation.operands[i]); };
    if (operation.operands.empty())
      values.push_back(evaluateLeaf(operation, point));
    else if (auto unary = evaluateUnary(operation.opcode, operand(0)))
      values.push_back(*unary);
    else if (operation.opcode == RegionOpcode::Select)
      values.push_back(operand(0) != 0 ? operand(1) : operand(2));
    else
      values.push_back(evaluateBinary(operation.opcode, operand(0), operand(1)));
  }
  return values.back();
}

} // namespace attune::cpu::test
