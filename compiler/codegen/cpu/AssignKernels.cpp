//===- AssignKernels.cpp - Tile operations to kernel calls ----------------===//
#include "codegen/cpu/AssignKernels.h"

#include "codegen/cpu/KernelCaller.h"
#include "codegen/cpu/RegionTranslation.h"
#include "codegen/cpu/TargetInfo.h"
#include "dialect/ScheduleAttribute.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace attune {
#define GEN_PASS_DEF_ASSIGNKERNELS
#include "codegen/cpu/AssignKernels.h.inc"

namespace cpu {
namespace {
/// Where a tile lies. `count` and `columns` are those of its load, null for an accumulator.
struct TileBuffer {
  Value memref;
  Value count, columns;
};

/// Buffers of running statistics: the current ones and those that the next step writes.
struct StatsBuffer {
  Value maximum, sum, nextMaximum, nextSum;

  SmallVector<Value> values() const { return {maximum, sum, nextMaximum, nextSum}; }
  StatsBuffer swapped() const { return {nextMaximum, nextSum, maximum, sum}; }
};

/// Lowers the tile operations of one function in order.
class KernelAssigner {
public:
  KernelAssigner(func::FuncOp function, KernelCaller &caller)
      : caller(caller), function(function) {}

  LogicalResult run() {
    caller.enterFunction(function);
    return lowerBlock(function.front());
  }

private:
  LogicalResult lowerBlock(Block &block);
  LogicalResult lower(Operation &op);
  LogicalResult lowerLoop(scf::ForOp loop);
  LogicalResult lowerForall(scf::ForallOp loop);
  LogicalResult lower(mha::ScoresOp op);
  void lower(mha::PackOp op);
  void lower(mha::LoadOp op);
  void lower(mha::ZeroOp op);
  void lower(mha::StartOp op);
  void lower(mha::AccumulateOp op);
  void lower(mha::FinishOp op);
  void lower(mha::EmitOp op);

  Value tileOperand(mha::LoadOp load, Value count, Value columns);
  Value accumulator(StringRef name, mha::TileType type);

  KernelCaller &caller;
  func::FuncOp function;
  DenseMap<Value, TileBuffer> tiles;
  DenseMap<Value, Value> rescales;
  DenseMap<Value, StatsBuffer> stats;
};

LogicalResult KernelAssigner::lowerBlock(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(lower(op)))
      return failure();
  return success();
}

LogicalResult KernelAssigner::lower(Operation &op) {
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](scf::ForOp loop) { return lowerLoop(loop); })
      .Case([&](scf::ForallOp loop) { return lowerForall(loop); })
      .Case([&](scf::IfOp branch) {
        for (Region &region : branch->getRegions())
          if (!region.empty() && failed(lowerBlock(region.front())))
            return failure();
        return success();
      })
      .Case([&](mha::ScoresOp scores) { return lower(scores); })
      .Case<mha::PackOp, mha::LoadOp, mha::ZeroOp, mha::StartOp, mha::AccumulateOp, mha::FinishOp,
            mha::EmitOp>([&](auto known) {
        caller.setPlace(known);
        lower(known);
        caller.erase(known);
        return success();
      })
      .Default([](Operation *) { return success(); });
}

LogicalResult KernelAssigner::lowerForall(scf::ForallOp loop) {
  caller.enterParallelLoop(loop);
  LogicalResult result = lowerBlock(*loop.getBody());
  caller.leaveParallelLoop();
  return result;
}

/// Accumulators live in one buffer, so a loop need not carry them; statistics become four memrefs.
LogicalResult KernelAssigner::lowerLoop(scf::ForOp loop) {
  OpBuilder builder(loop);
  SmallVector<Value> carried;
  for (Value init : loop.getInitArgs())
    if (auto found = stats.find(init); found != stats.end())
      llvm::append_range(carried, found->second.values());
  auto lowered = scf::ForOp::create(builder, loop.getLoc(), loop.getLowerBound(),
                                    loop.getUpperBound(), loop.getStep(), carried);
  Block *body = lowered.getBody();
  if (carried.empty())
    body->getTerminator()->erase(); // the block is filled below
  unsigned next = 0;
  auto statsFrom = [&](ValueRange values) {
    StatsBuffer buffer{values[next], values[next + 1], values[next + 2], values[next + 3]};
    next += 4;
    return buffer;
  };
  for (auto [init, argument] : llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs())) {
    if (stats.contains(init))
      stats[argument] = statsFrom(lowered.getRegionIterArgs());
    else
      tiles[argument] = tiles.lookup(init);
  }
  next = 0;
  for (auto [init, result] : llvm::zip(loop.getInitArgs(), loop.getResults())) {
    if (stats.contains(init))
      stats[result] = statsFrom(lowered.getResults());
    else
      tiles[result] = tiles.lookup(init);
  }
  loop.getInductionVar().replaceAllUsesWith(lowered.getInductionVar());
  body->getOperations().splice(body->end(), loop.getBody()->getOperations());
  if (failed(lowerBlock(*body)))
    return failure();
  auto yield = cast<scf::YieldOp>(body->getTerminator());
  SmallVector<Value> yielded;
  for (Value value : yield.getOperands())
    if (auto found = stats.find(value); found != stats.end())
      llvm::append_range(yielded, found->second.values());
  yield->setOperands(yielded);
  caller.erase(loop);
  return success();
}

Value KernelAssigner::accumulator(StringRef name, mha::TileType type) {
  Value acc = caller.scratch(name, {type.getRows(), type.getColumns()});
  caller.fill(acc, 0.0);
  return acc;
}

void KernelAssigner::lower(mha::PackOp op) {
  auto target = cast<MemRefType>(op.getTarget().getType());
  auto source = cast<MemRefType>(op.getSource().getType());
  const int64_t padded = target.getShape().back();
  if (op.getKind() == mha::PackKind::Panel) {
    const int64_t depth = target.getDimSize(target.getRank() - 2);
    Value from =
        caller.view(op.getSource(), op.getSourceIndices(), {op.getCount(), caller.index(depth)});
    Value to = caller.view(op.getTarget(), op.getTargetIndices(),
                           {caller.index(depth), caller.index(padded)});
    caller.call(PackPanelSpec{static_cast<int>(padded)}, {from, op.getCount(), to});
    return;
  }
  Value columns = caller.index(source.getShape().back());
  Value from = caller.view(op.getSource(), op.getSourceIndices(), {op.getCount(), columns});
  Value to =
      caller.view(op.getTarget(), op.getTargetIndices(), {op.getCount(), caller.index(padded)});
  caller.call(PackRowsSpec{ElementType::F32}, {from, columns, to});
}

void KernelAssigner::lower(mha::LoadOp op) {
  mha::TileType type = op.getTile().getType();
  Value count = op.getCount() ? op.getCount() : caller.index(type.getRows());
  Value columns = op.getColumns() ? op.getColumns() : caller.index(type.getColumns());
  TileBuffer buffer{{}, count, columns};
  if (type.getPanel()) {
    auto shape = cast<MemRefType>(op.getSource().getType()).getShape().take_back(3);
    buffer.memref =
        caller.view(op.getSource(), op.getIndices(),
                    {caller.index(shape[0]), caller.index(shape[1]), caller.index(shape[2])});
  } else if (llvm::all_of(op.getTile().getUsers(),
                          [](Operation *user) { return isa<mha::ScoresOp>(user); }) &&
             llvm::none_of(op.getTile().getUses(), [](OpOperand &use) {
               return use.getOperandNumber() == 0; // the query, a plain view
             })) {
    buffer.memref = tileOperand(op, count, columns);
  } else {
    buffer.memref = caller.view(op.getSource(), op.getIndices(), {count, columns});
  }
  tiles[op.getTile()] = buffer;
}

/// A tile that regions read element by element. The kernel reads whole tiles, so that one which
/// reaches beyond its memref is copied first.
Value KernelAssigner::tileOperand(mha::LoadOp load, Value count, Value columns) {
  mha::TileType type = load.getTile().getType();
  OpBuilder &builder = caller.builder();
  Location loc = load.getLoc();
  Value whole =
      arith::AndIOp::create(builder, loc,
                            arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, count,
                                                  caller.index(type.getRows())),
                            arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, columns,
                                                  caller.index(type.getColumns())));
  const bool bytes = type.getElementType().isInteger(8);
  Value copy = caller.scratch(bytes ? "mask" : "bias", {type.getRows(), type.getColumns()},
                              type.getElementType());
  auto branch = scf::IfOp::create(builder, loc, caller.viewType(2, type.getElementType()), whole,
                                  /*withElse=*/true);
  builder.setInsertionPointToStart(&branch.getThenRegion().front());
  scf::YieldOp::create(builder, loc,
                       caller.view(load.getSource(), load.getIndices(), {count, columns}));
  builder.setInsertionPointToStart(&branch.getElseRegion().front());
  Value from = caller.view(load.getSource(), load.getIndices(), {count, columns});
  Value zero = caller.index(0);
  caller.call(PackRowsSpec{bytes ? ElementType::U8 : ElementType::F32},
              {from, columns, caller.view(copy, {zero, zero}, {count, columns})});
  scf::YieldOp::create(builder, loc, caller.generalize(copy));
  builder.setInsertionPointAfter(branch);
  return branch.getResult(0);
}

void KernelAssigner::lower(mha::ZeroOp op) {
  tiles[op.getAcc()] = {accumulator("acc", op.getAcc().getType()), {}, {}};
}

void KernelAssigner::lower(mha::StartOp op) {
  tiles[op.getAcc()] = {accumulator("acc", op.getAcc().getType()), {}, {}};
  const int64_t rows = op.getStats().getType().getRows(), lanes = caller.lanes();
  StatsBuffer buffer{caller.scratch("maximum", {rows}), caller.scratch("sum", {rows, lanes}),
                     caller.scratch("next_maximum", {rows}),
                     caller.scratch("next_sum", {rows, lanes})};
  caller.fill(buffer.maximum, -std::numeric_limits<double>::infinity());
  caller.fill(buffer.sum, 0.0);
  stats[op.getStats()] = buffer;
}

LogicalResult KernelAssigner::lower(mha::ScoresOp op) {
  caller.setPlace(op);
  ScoresSpec spec;
  spec.block = caller.schedule().scores;
  spec.depth = op.getQuery().getType().getColumns();
  spec.tileColumns = op.getP().getType().getColumns();
  spec.scale = op.getScale().convertToDouble();
  spec.exp2Degree = caller.schedule().exp2Degree;
  SmallVector<Value> scalars;
  auto score = translateRegion(op.getScore(), true, scalars);
  auto keep = translateRegion(op.getKeep(), false, scalars);
  if (failed(score) || failed(keep))
    return failure();
  spec.score = *score;
  spec.keep = *keep;
  spec.scalars = scalars.size();
  const StatsBuffer &old = stats.find(op.getStats())->second;
  SmallVector<Value> operands = {tiles.lookup(op.getQuery()).memref,
                                 tiles.lookup(op.getKey()).memref, old.maximum, old.sum};
  for (Value tile : op.getTiles()) {
    operands.push_back(tiles.lookup(tile).memref);
    spec.tiles.push_back(caller.elementType(operands.back()));
  }
  Value panels = caller.ceilDiv(op.getColumns(), spec.block.vectors * caller.lanes());
  llvm::append_values(operands, op.getCount(), panels, op.getBatch(), op.getHead(),
                      op.getFirstQuery(), op.getFirstKey());
  llvm::append_range(operands, scalars);
  const int64_t rows = op.getP().getType().getRows();
  Value p = caller.scratch("p", {rows, spec.tileColumns});
  Value rescale = caller.scratch("rescale", {rows});
  llvm::append_values(operands, p, p, old.nextMaximum, old.nextSum, rescale);
  caller.call(spec, operands);
  tiles[op.getP()] = {p, op.getCount(), op.getColumns()};
  rescales[op.getRescale()] = rescale;
  stats[op.getNewStats()] = old.swapped();
  caller.erase(op);
  return success();
}

void KernelAssigner::lower(mha::AccumulateOp op) {
  TileBuffer acc = tiles.lookup(op.getAcc()), a = tiles.lookup(op.getA()),
             b = tiles.lookup(op.getB());
  AccumulateSpec spec;
  spec.block = op.getRescale() ? caller.schedule().values : caller.schedule().projection;
  spec.columns = op.getAcc().getType().getColumns();
  spec.rescaled = static_cast<bool>(op.getRescale());
  spec.bDense = caller.isDense(b.memref, spec.columns);
  if (spec.rescaled) // the probabilities: a whole scratch tile
    spec.aColumns = op.getA().getType().getColumns();
  spec.prefetchNext = !spec.rescaled && spec.bDense; // weight panels follow each other in memory
  SmallVector<Value> operands = {a.memref, b.memref};
  if (spec.rescaled)
    operands.push_back(rescales.lookup(op.getRescale()));
  llvm::append_values(operands, acc.memref, a.count, b.count, acc.memref);
  caller.call(spec, operands);
  tiles[op.getResult()] = acc;
}

void KernelAssigner::lower(mha::FinishOp op) {
  FinishSpec spec;
  spec.columns = cast<MemRefType>(op.getTarget().getType()).getShape().back();
  spec.paddedColumns = op.getAcc().getType().getColumns();
  spec.zeroMaskedRows = !op.getNanMaskedRows();
  Value target =
      caller.view(op.getTarget(), op.getIndices(), {op.getCount(), caller.index(spec.columns)});
  caller.call(spec, {tiles.lookup(op.getAcc()).memref, stats.find(op.getStats())->second.sum,
                     op.getCount(), target});
}

void KernelAssigner::lower(mha::EmitOp op) {
  EmitSpec spec;
  spec.paddedColumns = op.getAcc().getType().getColumns();
  spec.biased = static_cast<bool>(op.getBias());
  SmallVector<Value> operands = {tiles.lookup(op.getAcc()).memref};
  if (op.getBias())
    operands.push_back(op.getBias());
  operands.push_back(
      caller.view(op.getTarget(), op.getIndices(), {op.getCount(), op.getColumns()}));
  caller.call(spec, operands);
}

struct AssignKernelsPass : impl::AssignKernelsBase<AssignKernelsPass> {
  AssignKernelsPass() = default;
  explicit AssignKernelsPass(KernelSet &kernels) : kernels(&kernels) {}

  void runOnOperation() override {
    ModuleOp module = getOperation();
    CpuSchedule schedule;
    CpuTraits cpu;
    if (failed(mha::getSchedule(module, schedule, cpu)))
      return signalPassFailure();
    auto name = module->getAttrOfType<StringAttr>("mha.target");
    auto target = resolveTarget(name ? name.getValue() : StringRef());
    if (!target) {
      module.emitError() << "mha.target: " << llvm::toString(target.takeError());
      return signalPassFailure();
    }
    KernelSet ignored;
    KernelCaller caller(module, schedule, target->kernels, kernels ? *kernels : ignored);
    SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
    for (func::FuncOp function : functions)
      if (failed(KernelAssigner(function, caller).run()))
        return signalPassFailure();
    caller.eraseDead();
  }

  KernelSet *kernels = nullptr;
};
} // namespace

std::unique_ptr<Pass> createAssignKernels(KernelSet &kernels) {
  return std::make_unique<AssignKernelsPass>(kernels);
}
} // namespace cpu
} // namespace attune
