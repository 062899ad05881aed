//===- AssignKernels.cpp - Tile operations to kernel calls ----------------===//
#include "codegen/cpu/AssignKernels.h"

#include "codegen/cpu/KernelAssigner.h"
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

LogicalResult KernelAssigner::lowerBlock(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(lower(op)))
      return failure();
  return success();
}

LogicalResult KernelAssigner::lower(Operation &op) {
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case<scf::ForOp, scf::ForallOp, scf::IfOp>([&](auto known) { return lower(known); })
      .Case<mha::ScoresOp, mha::LogitsOp>([&](auto known) {
        caller.setPlace(known);
        caller.erase(known);
        return lower(known);
      })
      .Case<mha::PackOp, mha::AsPairsOp, mha::ClearOp, mha::KeyRangeOp, mha::ClassifyOp,
            mha::LoadOp, mha::ZeroOp, mha::StartOp, mha::SoftmaxOp, mha::AccumulateOp,
            mha::FinishOp, mha::EmitWeightsOp, mha::EmitOp, mha::EmitPackedOp, mha::SaveOp,
            mha::MergeOp>([&](auto known) {
        caller.setPlace(known);
        lower(known);
        caller.erase(known);
        return success();
      })
      .Default([](Operation *) { return success(); });
}

LogicalResult KernelAssigner::lower(scf::ForallOp loop) {
  caller.enterParallelLoop(loop);
  planAhead(loop);
  LogicalResult result = lowerBlock(*loop.getBody());
  caller.leaveParallelLoop();
  return result;
}

/// What stands for tiles and statistics where control flow passes them on: an accumulator lies in
/// one buffer and needs nothing, statistics are four memrefs.
SmallVector<Value> KernelAssigner::bufferValues(ValueRange values) const {
  SmallVector<Value> buffers;
  for (Value value : values)
    if (auto found = stats.find(value); found != stats.end())
      llvm::append_range(buffers, found->second.values());
  return buffers;
}

/// Binds each of `values` as its source is bound; statistics to the next four of `buffers`.
void KernelAssigner::bindBuffers(ValueRange values, ValueRange sources, ValueRange buffers) {
  for (auto [value, source] : llvm::zip(values, sources)) {
    if (stats.contains(source)) {
      stats[value] = StatsBuffer::of(buffers.take_front(4));
      buffers = buffers.drop_front(4);
    } else {
      tiles[value] = tiles.lookup(source);
    }
  }
}

LogicalResult KernelAssigner::lower(scf::ForOp loop) {
  OpBuilder builder(loop);
  SmallVector<Value> carried = bufferValues(loop.getInitArgs());
  auto lowered = scf::ForOp::create(builder, loop.getLoc(), loop.getLowerBound(),
                                    loop.getUpperBound(), loop.getStep(), carried);
  Block *body = lowered.getBody();
  if (carried.empty())
    body->getTerminator()->erase(); // the block is filled below
  bindBuffers(loop.getRegionIterArgs(), loop.getInitArgs(), lowered.getRegionIterArgs());
  bindBuffers(loop.getResults(), loop.getInitArgs(), lowered.getResults());
  loop.getInductionVar().replaceAllUsesWith(lowered.getInductionVar());
  body->getOperations().splice(body->end(), loop.getBody()->getOperations());
  if (failed(lowerBlock(*body)))
    return failure();
  auto yield = cast<scf::YieldOp>(body->getTerminator());
  yield->setOperands(bufferValues(yield.getOperands()));
  caller.erase(loop);
  return success();
}

LogicalResult KernelAssigner::lower(scf::IfOp branch) {
  for (Region &region : branch->getRegions())
    if (!region.empty() && failed(lowerBlock(region.front())))
      return failure();
  if (branch.getNumResults() == 0)
    return success();
  SmallVector<Value> yielded(branch.thenYield().getOperands());
  for (scf::YieldOp yield : {branch.thenYield(), branch.elseYield()})
    yield->setOperands(bufferValues(yield.getOperands()));
  OpBuilder builder(branch);
  auto lowered = scf::IfOp::create(builder, branch.getLoc(), branch.thenYield().getOperandTypes(),
                                   branch.getCondition(), /*withElseRegion=*/true);
  lowered.getThenRegion().takeBody(branch.getThenRegion());
  lowered.getElseRegion().takeBody(branch.getElseRegion());
  bindBuffers(branch.getResults(), yielded, lowered.getResults());
  caller.erase(branch);
  return success();
}

namespace {
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
    target->kernels.pairProducts = cpu.pairProducts;
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
