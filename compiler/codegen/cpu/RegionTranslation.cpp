//===- RegionTranslation.cpp - Score and keep regions as programs ---------===//
#include "codegen/cpu/RegionTranslation.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace attune::cpu {

namespace {
/// Operations that translate one to one.
struct PlainOperation {
  StringLiteral name;
  RegionOpcode opcode;
};
constexpr PlainOperation kPlainOperations[] = {
    {"arith.addf", RegionOpcode::AddF},         {"arith.subf", RegionOpcode::SubF},
    {"arith.mulf", RegionOpcode::MulF},         {"arith.divf", RegionOpcode::DivF},
    {"arith.negf", RegionOpcode::NegF},         {"arith.minimumf", RegionOpcode::MinF},
    {"arith.maximumf", RegionOpcode::MaxF},     {"arith.addi", RegionOpcode::AddI},
    {"arith.subi", RegionOpcode::SubI},         {"arith.muli", RegionOpcode::MulI},
    {"arith.andi", RegionOpcode::And},          {"arith.ori", RegionOpcode::Or},
    {"arith.xori", RegionOpcode::Xor},          {"arith.select", RegionOpcode::Select},
    {"arith.sitofp", RegionOpcode::IntToFloat}, {"math.absf", RegionOpcode::AbsF},
    {"math.exp", RegionOpcode::ExpF},           {"math.log", RegionOpcode::LogF},
    {"math.sqrt", RegionOpcode::SqrtF},         {"math.tanh", RegionOpcode::TanhF}};

std::optional<RegionOpcode> compareOpcode(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return RegionOpcode::EqualI;
  case arith::CmpIPredicate::ne:
    return RegionOpcode::NotEqualI;
  case arith::CmpIPredicate::slt:
    return RegionOpcode::LessI;
  case arith::CmpIPredicate::sle:
    return RegionOpcode::LessEqualI;
  case arith::CmpIPredicate::sgt:
    return RegionOpcode::GreaterI;
  case arith::CmpIPredicate::sge:
    return RegionOpcode::GreaterEqualI;
  default:
    return std::nullopt;
  }
}

std::optional<RegionOpcode> compareOpcode(arith::CmpFPredicate predicate) {
  switch (predicate) {
  case arith::CmpFPredicate::OEQ:
    return RegionOpcode::EqualF;
  case arith::CmpFPredicate::UNE:
    return RegionOpcode::NotEqualF;
  case arith::CmpFPredicate::OLT:
    return RegionOpcode::LessF;
  case arith::CmpFPredicate::OLE:
    return RegionOpcode::LessEqualF;
  case arith::CmpFPredicate::OGT:
    return RegionOpcode::GreaterF;
  case arith::CmpFPredicate::OGE:
    return RegionOpcode::GreaterEqualF;
  default:
    return std::nullopt;
  }
}

class Translator {
public:
  Translator(Region &region, SmallVectorImpl<Value> &scalars) : region(region), scalars(scalars) {}

  FailureOr<RegionProgram> run(bool isScore) {
    mapArguments(isScore);
    auto yield = cast<mha::YieldOp>(region.front().getTerminator());
    FailureOr<int> result = translate(yield.getValue());
    if (failed(result))
      return failure();
    // The last operation is the result; a leaf that came earlier moves to the end.
    if (*result + 1 != static_cast<int>(program.operations.size()))
      program.operations.push_back(program.operations[*result]);
    return program;
  }

private:
  int add(RegionOpcode opcode, std::vector<int> operands = {}, int index = 0, double constant = 0) {
    program.operations.push_back({opcode, std::move(operands), index, constant});
    return program.operations.size() - 1;
  }

  void mapArguments(bool isScore) {
    constexpr RegionOpcode leaves[] = {RegionOpcode::Score, RegionOpcode::Batch, RegionOpcode::Head,
                                       RegionOpcode::QueryIndex, RegionOpcode::KeyIndex};
    const unsigned skip = isScore ? 0 : 1;
    for (BlockArgument argument : region.front().getArguments()) {
      unsigned position = argument.getArgNumber() + skip;
      leafOf[argument] = position < 5 ? std::pair(leaves[position], 0)
                                      : std::pair(RegionOpcode::TileElement, int(position) - 5);
    }
  }

  FailureOr<int> translate(Value value) {
    if (auto known = done.find(value); known != done.end())
      return known->second;
    FailureOr<int> result = translateNew(value);
    if (succeeded(result))
      done[value] = *result;
    return result;
  }

  FailureOr<int> translateNew(Value value) {
    if (auto leaf = leafOf.find(value); leaf != leafOf.end())
      return add(leaf->second.first, {}, leaf->second.second);
    IntegerAttr integer;
    if (matchPattern(value, m_Constant(&integer)))
      return add(RegionOpcode::IntConstant, {}, 0,
                 integer.getType().isInteger(1) ? integer.getValue().getZExtValue()
                                                : integer.getValue().getSExtValue());
    FloatAttr real;
    if (matchPattern(value, m_Constant(&real)))
      return add(RegionOpcode::FloatConstant, {}, 0, real.getValueAsDouble());
    Operation *op = value.getDefiningOp();
    if (!op || op->getParentRegion() != &region)
      return capture(value);
    return translateOperation(op);
  }

  FailureOr<int> capture(Value value) {
    if (!value.getType().isIndex())
      return emitError(value.getLoc()) << "a region may capture index values and constants only";
    auto position = llvm::find(scalars, value) - scalars.begin();
    if (position == static_cast<ptrdiff_t>(scalars.size()))
      scalars.push_back(value);
    return add(RegionOpcode::Scalar, {}, position);
  }

  FailureOr<int> translateOperation(Operation *op) {
    std::vector<int> operands;
    for (Value operand : op->getOperands()) {
      FailureOr<int> position = translate(operand);
      if (failed(position))
        return failure();
      operands.push_back(*position);
    }
    // Integers of all widths are i32 in a program, so that width changes are no operation.
    if (isa<arith::IndexCastOp, arith::ExtUIOp>(op))
      return operands[0];
    if (auto compare = dyn_cast<arith::CmpIOp>(op))
      if (auto opcode = compareOpcode(compare.getPredicate()))
        return add(*opcode, operands);
    if (auto compare = dyn_cast<arith::CmpFOp>(op))
      if (auto opcode = compareOpcode(compare.getPredicate()))
        return add(*opcode, operands);
    StringRef name = op->getName().getStringRef();
    for (const PlainOperation &plain : kPlainOperations)
      if (plain.name == name)
        return add(plain.opcode, operands);
    return op->emitError() << "has no translation for a CPU kernel";
  }

  Region &region;
  SmallVectorImpl<Value> &scalars;
  RegionProgram program;
  DenseMap<Value, std::pair<RegionOpcode, int>> leafOf;
  DenseMap<Value, int> done;
};
} // namespace

FailureOr<RegionProgram> translateRegion(Region &region, bool isScore,
                                         SmallVectorImpl<Value> &scalars) {
  if (region.empty())
    return RegionProgram();
  return Translator(region, scalars).run(isScore);
}

} // namespace attune::cpu
