//===- PackParameters.cpp - Weights into panels, once ---------------------===//
#include "transforms/PackParameters.h"

#include "dialect/Mha.h"
#include "dialect/ScheduleAttribute.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attune {
#define GEN_PASS_DEF_PACKPARAMETERS
#include "transforms/PackParameters.h.inc"

namespace {
/// Builds `pack` next to `forward`, which loses its parameters and gains packed arguments.
class ParameterPacker {
public:
  ParameterPacker(func::FuncOp forward, int64_t width)
      : forward(forward), width(width), builder(forward.getContext()) {}

  LogicalResult run() {
    WalkResult checked = forward.walk([&](mha::ProjectOp op) { return check(op); });
    if (checked.wasInterrupted())
      return failure();
    createPack();
    forward.walk([&](mha::ProjectOp op) { packOperands(op); });
    func::ReturnOp::create(builder, forward.getLoc(), packedValues);
    SmallVector<Type> results(ValueRange(packedValues).getTypes());
    pack.setFunctionType(builder.getFunctionType(pack.getFunctionType().getInputs(), results));
    eraseParameters();
    return success();
  }

private:
  /// Weight and bias of a projection must be parameters: nothing else is known before the call.
  WalkResult check(mha::ProjectOp op) {
    for (Value operand : {Value(op.getWeight()), Value(op.getBias())}) {
      auto argument = dyn_cast_if_present<BlockArgument>(operand);
      if (operand &&
          (!argument || argument.getOwner() != &forward.front() || !isParameter(argument))) {
        op.emitOpError() << "weight and bias must be arguments with mha.parameter";
        return WalkResult::interrupt();
      }
    }
    return WalkResult::advance();
  }

  /// `pack` takes all parameters of `forward`, in order.
  void createPack() {
    SmallVector<Type> types;
    SmallVector<DictionaryAttr> attributes;
    for (BlockArgument argument : forward.getArguments())
      if (isParameter(argument)) {
        packIndex[argument] = types.size();
        types.push_back(argument.getType());
        attributes.push_back(forward.getArgAttrDict(argument.getArgNumber()));
      }
    builder.setInsertionPoint(forward);
    pack =
        func::FuncOp::create(builder, forward.getLoc(), "pack", builder.getFunctionType(types, {}),
                             ArrayRef<NamedAttribute>(), attributes);
    builder.setInsertionPointToEnd(pack.addEntryBlock());
  }

  bool isParameter(BlockArgument argument) {
    return static_cast<bool>(forward.getArgAttr(argument.getArgNumber(), "mha.parameter"));
  }

  void packOperands(mha::ProjectOp op) {
    Type element = builder.getF32Type();
    IntegerAttr first = op.getFirstAttr(), columns = builder.getI64IntegerAttr(op.getColumns());
    int64_t panels = llvm::divideCeil(op.getColumns(), width);
    int64_t depth = op.getWeight().getType().getShape()[1];
    Value weight = mha::PackWeightOp::create(builder, op.getLoc(),
                                             RankedTensorType::get({panels, depth, width}, element),
                                             inPack(op.getWeight()), first, columns);
    op.getWeightMutable().assign(addPacked(weight));
    if (op.getBias()) {
      Value bias = mha::PackBiasOp::create(builder, op.getLoc(),
                                           RankedTensorType::get({panels * width}, element),
                                           inPack(op.getBias()), first, columns);
      op.getBiasMutable().assign(addPacked(bias));
    }
    op.setFirst(0);
  }

  /// The argument of `pack` that stands for a parameter of `forward`.
  Value inPack(Value parameter) {
    return pack.getArgument(packIndex.lookup(cast<BlockArgument>(parameter)));
  }

  /// Makes `value` a result of `pack` and an argument of `forward`; returns the argument.
  Value addPacked(Value value) {
    packedValues.push_back(value);
    unsigned index = forward.getNumArguments();
    (void)forward.insertArgument(
        index, value.getType(),
        builder.getDictionaryAttr(builder.getNamedAttr("mha.packed", builder.getUnitAttr())),
        value.getLoc());
    return forward.getArgument(index);
  }

  void eraseParameters() {
    llvm::BitVector erased(forward.getNumArguments());
    for (BlockArgument argument : forward.getArguments())
      if (isParameter(argument))
        erased.set(argument.getArgNumber());
    (void)forward.eraseArguments(erased);
  }

  func::FuncOp forward, pack;
  int64_t width;
  OpBuilder builder;
  DenseMap<BlockArgument, unsigned> packIndex;
  SmallVector<Value> packedValues;
};

struct PackParametersPass : impl::PackParametersBase<PackParametersPass> {
  void runOnOperation() override {
    CpuSchedule schedule;
    CpuTraits cpu;
    auto forward = getOperation().lookupSymbol<func::FuncOp>("forward");
    bool hasProjection = false;
    if (forward)
      forward.walk([&](mha::ProjectOp) { hasProjection = true; });
    if (!hasProjection)
      return;
    if (failed(mha::getSchedule(getOperation(), schedule, cpu)))
      return signalPassFailure();
    if (failed(ParameterPacker(forward, schedule.weightPanel(cpu)).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace attune
