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
  ParameterPacker(func::FuncOp forward, const CpuSchedule &schedule, const CpuTraits &cpu)
      : forward(forward), schedule(schedule), cpu(cpu), width(schedule.weightPanel),
        builder(forward.getContext()) {}

  LogicalResult run() {
    WalkResult checked = forward.walk([&](mha::ProjectOp op) { return check(op); });
    WalkResult checkedAppended = forward.walk([&](mha::AttendOp op) { return check(op); });
    if (checked.wasInterrupted() || checkedAppended.wasInterrupted())
      return failure();
    createPack();
    forward.walk([&](mha::ProjectOp op) { packOperands(op); });
    forward.walk([&](mha::AttendOp op) { packOperands(op); });
    for (auto appended : llvm::make_early_inc_range(forward.getOps<mha::AppendedOp>()))
      appended.erase();
    func::ReturnOp::create(builder, forward.getLoc(), packedValues);
    SmallVector<Type> results(ValueRange(packedValues).getTypes());
    pack.setFunctionType(builder.getFunctionType(pack.getFunctionType().getInputs(), results));
    eraseParameters();
    return success();
  }

private:
  /// Weight and bias of a projection must be parameters: nothing else is known before the call.
  WalkResult check(mha::ProjectOp op) {
    if (isParameter(op.getWeight()) && (!op.getBias() || isParameter(op.getBias())))
      return WalkResult::advance();
    op.emitOpError() << "weight and bias must be arguments with mha.parameter";
    return WalkResult::interrupt();
  }

  /// The same holds for what is appended.
  WalkResult check(mha::AttendOp op) {
    for (Value value : {Value(op.getAppendedKey()), Value(op.getAppendedValue())}) {
      auto appended = value ? value.getDefiningOp<mha::AppendedOp>() : mha::AppendedOp();
      if (!value || (appended && (!appended.getBias() || isParameter(appended.getBias()))))
        continue;
      op.emitOpError() << "appended keys and values must be those of mha.appended, of arguments "
                          "with mha.parameter";
      return WalkResult::interrupt();
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

  bool isParameter(Value value) {
    auto argument = dyn_cast<BlockArgument>(value);
    return argument && argument.getOwner() == &forward.front() &&
           forward.getArgAttr(argument.getArgNumber(), "mha.parameter");
  }

  void packOperands(mha::ProjectOp op) {
    Type element = builder.getF32Type();
    int64_t depth = op.getWeight().getType().getShape()[1];
    if (cpu.pairProducts != PairProducts::None) {
      element = builder.getI32Type();
      depth = llvm::alignTo(depth, pairTileDepth) / 2;
    }
    IntegerAttr first = op.getFirstAttr(), biasFirst = builder.getI64IntegerAttr(op.getBiasStart());
    IntegerAttr columns = builder.getI64IntegerAttr(op.getColumns());
    int64_t panels = llvm::divideCeil(op.getColumns(), width);
    Value weight = mha::PackWeightOp::create(builder, op.getLoc(),
                                             RankedTensorType::get({panels, depth, width}, element),
                                             inPack(op.getWeight()), first, columns);
    op.getWeightMutable().assign(addPacked(weight));
    if (op.getBias()) {
      Value bias = mha::PackBiasOp::create(builder, op.getLoc(),
                                           RankedTensorType::get({panels * width}, element),
                                           inPack(op.getBias()), biasFirst, columns);
      op.getBiasMutable().assign(addPacked(bias));
    }
    op.setFirst(0);
    op.removeBiasFirstAttr();
  }

  /// Appended keys become one panel a head, appended values rows as wide as an accumulator.
  void packOperands(mha::AttendOp op) {
    if (!op.getAppendedKey())
      return;
    ArrayRef<int64_t> shape = op.getAppendedKey().getType().getShape();
    const int64_t keyPanel = schedule.keyPanel(cpu);
    op.getAppendedKeyMutable().assign(
        packAppended(mha::PackKind::Panel, op.getAppendedKey(), {shape[0], 1, shape[2], keyPanel}));
    op.getAppendedValueMutable().assign(
        packAppended(mha::PackKind::Rows, op.getAppendedValue(),
                     {shape[0], shape[1], schedule.paddedHeadDim(cpu, shape[2])}));
  }

  Value packAppended(mha::PackKind kind, Value value, ArrayRef<int64_t> shape) {
    auto appended = value.getDefiningOp<mha::AppendedOp>();
    Value bias = appended.getBias() ? inPack(appended.getBias()) : Value();
    Value rows = mha::AppendedOp::create(builder, appended.getLoc(), value.getType(), bias);
    return addPacked(mha::PackAppendedOp::create(builder, appended.getLoc(),
                                                 RankedTensorType::get(shape, builder.getF32Type()),
                                                 kind, rows));
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
  const CpuSchedule &schedule;
  const CpuTraits &cpu;
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
    if (failed(ParameterPacker(forward, schedule, cpu).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace attune
