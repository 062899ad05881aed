//===- OutlineParallel.cpp - Parallel loops for the context's workers -----===//
#include "transforms/OutlineParallel.h"

#include "dialect/Mha.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace attune {
#define GEN_PASS_DEF_OUTLINEPARALLEL
#include "transforms/OutlineParallel.h.inc"

namespace {
constexpr StringLiteral kParallelFor = "attune_parallel_for";

/// Outlines the loops of one function.
class Outliner {
public:
  Outliner(func::FuncOp function, int64_t grain)
      : function(function), grain(grain), builder(function.getContext()),
        converter(function.getContext()),
        pointer(LLVM::LLVMPointerType::get(function.getContext())) {}

  LogicalResult run() {
    (void)function.insertArgument(0, pointer, builder.getDictionaryAttr({}), function.getLoc());
    SmallVector<scf::ForallOp> loops;
    function.walk([&](scf::ForallOp loop) { loops.push_back(loop); });
    for (auto [number, loop] : llvm::enumerate(loops))
      if (failed(outline(loop, number)))
        return failure();
    // A loop of one iteration is straight code by now: the caller runs it, as worker 0.
    function.walk([&](mha::WorkerOp op) {
      builder.setInsertionPoint(op);
      Value caller = arith::ConstantIndexOp::create(builder, op.getLoc(), 0);
      op.replaceAllUsesWith(caller);
      op.erase();
    });
    return success();
  }

private:
  /// What the loop uses from outside, constants excepted: they are cloned into the body.
  SmallVector<Value> captures(scf::ForallOp loop) {
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(loop.getRegion(), used);
    SmallVector<Value> result;
    OpBuilder inside(&loop.getBody()->front());
    for (Value value : used) {
      Operation *op = value.getDefiningOp();
      if (!op || !matchPattern(op, m_Constant())) {
        result.push_back(value);
        continue;
      }
      Value copy = inside.clone(*op)->getResult(0);
      replaceAllUsesInRegionWith(value, copy, loop.getRegion());
    }
    return result;
  }

  /// The iteration counts of the loop, of which the closure needs all but the first.
  SmallVector<Value> bounds(scf::ForallOp loop) {
    return getValueOrCreateConstantIndexOp(builder, loop.getLoc(), loop.getMixedUpperBound());
  }

  LogicalResult outline(scf::ForallOp loop, size_t number) {
    if (!loop.isNormalized() || loop.getNumResults() != 0)
      return loop.emitOpError() << "must run from 0 in steps of 1, without results";
    builder.setInsertionPoint(loop);
    Location loc = loop.getLoc();
    SmallVector<Value> sizes = bounds(loop);
    SmallVector<Value> captured = captures(loop);
    builder.setInsertionPoint(loop);
    SmallVector<Value> members(captured);
    llvm::append_range(members, ArrayRef(sizes).drop_front());
    SmallVector<Type> fields;
    for (Value member : members) {
      Type type = converter.convertType(member.getType());
      if (!type)
        return loop.emitOpError() << "uses a value of type " << member.getType()
                                  << " that cannot cross into a worker";
      fields.push_back(type);
    }
    auto closureType = LLVM::LLVMStructType::getLiteral(builder.getContext(), fields);
    std::string name = (function.getName() + "_loop_" + Twine(number)).str();
    createBody(loop, name, closureType, captured);
    Value closure = storeClosure(loc, closureType, members);
    callParallelFor(loc, sizes, name, closure);
    loop.erase();
    return success();
  }

  Value cast(Location loc, Type type, Value value) {
    return value.getType() == type
               ? value
               : UnrealizedConversionCastOp::create(builder, loc, type, value).getResult(0);
  }

  Value storeClosure(Location loc, LLVM::LLVMStructType type, ArrayRef<Value> members) {
    Value one = LLVM::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(1));
    Value closure = LLVM::AllocaOp::create(builder, loc, pointer, type, one);
    for (auto [index, member] : llvm::enumerate(members)) {
      Value field = LLVM::GEPOp::create(builder, loc, pointer, type, closure,
                                        ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(index)});
      LLVM::StoreOp::create(builder, loc, cast(loc, type.getBody()[index], member), field);
    }
    return closure;
  }

  void callParallelFor(Location loc, ArrayRef<Value> sizes, StringRef body, Value closure) {
    declareParallelFor(loc);
    Type i64 = builder.getI64Type();
    Value total = sizes[0];
    for (Value size : sizes.drop_front())
      total = arith::MulIOp::create(builder, loc, total, size);
    Value grainValue = LLVM::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(grain));
    Value address = LLVM::AddressOfOp::create(builder, loc, pointer, body);
    LLVM::CallOp::create(
        builder, loc, TypeRange(), kParallelFor,
        ValueRange{function.getArgument(0), cast(loc, i64, total), grainValue, address, closure});
  }

  void declareParallelFor(Location loc) {
    auto module = function->getParentOfType<ModuleOp>();
    if (module.lookupSymbol(kParallelFor))
      return;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(module.getBody());
    Type i64 = builder.getI64Type();
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()),
                                            {pointer, i64, i64, pointer, pointer});
    LLVM::LLVMFuncOp::create(builder, loc, kParallelFor, type);
  }

  /// body(closure, begin, end, worker): loads the closure and runs a range of iterations.
  void createBody(scf::ForallOp loop, StringRef name, LLVM::LLVMStructType closureType,
                  ArrayRef<Value> captured);
  void moveIterations(scf::ForallOp loop, scf::ForOp range, ArrayRef<Value> sizes, Value worker);

  func::FuncOp function;
  int64_t grain;
  OpBuilder builder;
  LLVMTypeConverter converter;
  Type pointer;
};

void Outliner::createBody(scf::ForallOp loop, StringRef name, LLVM::LLVMStructType closureType,
                          ArrayRef<Value> captured) {
  OpBuilder::InsertionGuard guard(builder);
  Location loc = loop.getLoc();
  builder.setInsertionPoint(function);
  Type i64 = builder.getI64Type(), i32 = builder.getI32Type(), index = builder.getIndexType();
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()),
                                          {pointer, i64, i64, i32});
  auto body = LLVM::LLVMFuncOp::create(builder, loc, name, type, LLVM::Linkage::Internal);
  Block *entry = body.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  auto member = [&](size_t position, Type wanted) {
    Value field = LLVM::GEPOp::create(builder, loc, pointer, closureType, entry->getArgument(0),
                                      ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(position)});
    return cast(loc, wanted,
                LLVM::LoadOp::create(builder, loc, closureType.getBody()[position], field));
  };
  for (auto [position, value] : llvm::enumerate(captured))
    replaceAllUsesInRegionWith(value, member(position, value.getType()), loop.getRegion());
  SmallVector<Value> inner;
  for (size_t position = captured.size(); position < closureType.getBody().size(); ++position)
    inner.push_back(member(position, index));
  Value begin = cast(loc, index, entry->getArgument(1));
  Value end = cast(loc, index, entry->getArgument(2));
  Value worker = arith::IndexCastOp::create(builder, loc, index, entry->getArgument(3));
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  auto range = scf::ForOp::create(builder, loc, begin, end, one);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  moveIterations(loop, range, inner, worker);
}

/// Moves the loop's body into `range` and computes its indices from the linear one: the last index
/// runs fastest. `sizes` are all iteration counts but the first.
void Outliner::moveIterations(scf::ForallOp loop, scf::ForOp range, ArrayRef<Value> sizes,
                              Value worker) {
  Location loc = loop.getLoc();
  builder.setInsertionPointToStart(range.getBody());
  Value rest = range.getInductionVar();
  SmallVector<Value> indices = llvm::to_vector(loop.getInductionVars());
  for (size_t k = indices.size(); k-- > 1;) {
    Value position = arith::RemUIOp::create(builder, loc, rest, sizes[k - 1]);
    rest = arith::DivUIOp::create(builder, loc, rest, sizes[k - 1]);
    indices[k].replaceAllUsesWith(position);
  }
  indices[0].replaceAllUsesWith(rest);
  Block *from = loop.getBody();
  auto &target = range.getBody()->getOperations();
  target.splice(std::prev(target.end()), from->getOperations(), from->begin(),
                std::prev(from->end()));
  range.walk([&](mha::WorkerOp op) {
    op.replaceAllUsesWith(worker);
    op.erase();
  });
}

struct OutlineParallelPass : impl::OutlineParallelBase<OutlineParallelPass> {
  void runOnOperation() override {
    auto schedule = getOperation()->getAttrOfType<DictionaryAttr>("mha.schedule");
    auto grain = schedule ? schedule.getAs<IntegerAttr>("grain") : IntegerAttr();
    for (StringRef name : {"pack", "forward"}) {
      auto function = getOperation().lookupSymbol<func::FuncOp>(name);
      if (function && failed(Outliner(function, grain ? grain.getInt() : 1).run()))
        return signalPassFailure();
    }
  }
};
} // namespace
} // namespace attune
