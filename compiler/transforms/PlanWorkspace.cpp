//===- PlanWorkspace.cpp - Every temporary in one workspace ---------------===//
#include "transforms/PlanWorkspace.h"

#include "dialect/Mha.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attune {
#define GEN_PASS_DEF_PLANWORKSPACE
#include "transforms/PlanWorkspace.h.inc"

namespace {
constexpr int64_t kAlignment = 64;
/// A workspace beyond this is refused (-1); below, 64-bit arithmetic is exact.
constexpr double kLargestSize = 0x1p60;

/// Bytes of the static part of a memref type.
int64_t staticBytes(MemRefType type) {
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size))
      bytes *= size;
  return bytes;
}

class WorkspacePlanner {
public:
  explicit WorkspacePlanner(func::FuncOp forward)
      : forward(forward), builder(forward.getContext()), loc(forward.getLoc()) {}

  void run() {
    forward.walk([&](scf::ForallOp loop) { planScratch(loop); });
    hoistBuffers();
    addArguments();
    forward.walk([&](mha::WorkersOp op) {
      op.replaceAllUsesWith(workers);
      op.erase();
    });
    for (auto alloc : forward.getOps<memref::AllocOp>())
      temporaries.push_back({alloc, staticBytes(alloc.getType()), alloc.getDynamicSizes()});
    placeScratch();
    placeTemporaries();
    buildSizeFunction();
  }

private:
  struct Temporary {
    memref::AllocOp alloc;
    int64_t bytes; ///< of the static extents
    SmallVector<Value> extents;
  };
  struct Slice {
    memref::AllocOp alloc;
    int64_t offset;
  };

  /// A parallel loop of one iteration, which is none any more, leaves its buffer in the branch or
  /// loop around it. One at the head of the function serves every iteration.
  void hoistBuffers() {
    SmallVector<memref::AllocOp> nested;
    forward.walk([&](memref::AllocOp alloc) {
      if (alloc->getBlock() != &forward.front() && alloc.getDynamicSizes().empty() &&
          !alloc->getParentOfType<scf::ForallOp>())
        nested.push_back(alloc);
    });
    for (memref::AllocOp alloc : nested)
      alloc->moveBefore(&forward.front().front());
  }

  /// Offsets of a loop's own buffers within a worker's slice.
  void planScratch(scf::ForallOp loop) {
    int64_t offset = 0;
    loop.walk([&](memref::AllocOp alloc) {
      slices.push_back({alloc, offset});
      offset += llvm::alignTo(staticBytes(alloc.getType()), kAlignment);
    });
    scratchBytes = std::max(scratchBytes, offset);
  }

  void addArguments() {
    DictionaryAttr none = builder.getDictionaryAttr({});
    auto bytes = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
    unsigned index = forward.getNumArguments();
    (void)forward.insertArgument(index, bytes, none, loc);
    (void)forward.insertArgument(index + 1, builder.getIndexType(), none, loc);
    workspace = forward.getArgument(index);
    workers = forward.getArgument(index + 1);
  }

  void placeScratch() {
    for (Slice &slice : slices) {
      builder.setInsertionPoint(slice.alloc);
      Value worker = mha::WorkerOp::create(builder, loc, builder.getIndexType());
      Value offset = apply(builder.getAffineDimExpr(0) * scratchBytes + slice.offset, worker);
      replace(slice.alloc, offset);
    }
  }

  void placeTemporaries() {
    builder.setInsertionPointToStart(&forward.front());
    end = apply(builder.getAffineDimExpr(0) * scratchBytes, workers);
    for (Temporary &temporary : temporaries) {
      memref::AllocOp alloc = temporary.alloc;
      builder.setInsertionPointAfter(alloc);
      Value next = endOf(alloc);
      builder.setInsertionPoint(alloc);
      replace(alloc, end);
      end = next;
    }
  }

  /// The current end plus the buffer's size, rounded up to the alignment.
  Value endOf(memref::AllocOp alloc) {
    const int64_t bytes = staticBytes(alloc.getType());
    AffineExpr start = builder.getAffineDimExpr(0);
    if (alloc.getDynamicSizes().empty())
      return apply(start + static_cast<int64_t>(llvm::alignTo(bytes, kAlignment)), end);
    Value product = alloc.getDynamicSizes().front();
    for (Value extent : alloc.getDynamicSizes().drop_front())
      product = arith::MulIOp::create(builder, loc, product, extent);
    AffineExpr size = builder.getAffineDimExpr(1) * bytes;
    return apply(start + size.ceilDiv(kAlignment) * kAlignment, {end, product});
  }

  Value apply(AffineExpr expression, ValueRange operands) {
    return affine::AffineApplyOp::create(builder, loc,
                                         AffineMap::get(operands.size(), 0, expression), operands);
  }

  void replace(memref::AllocOp alloc, Value offset) {
    Value view = memref::ViewOp::create(builder, loc, alloc.getType(), workspace, offset,
                                        alloc.getDynamicSizes());
    alloc.replaceAllUsesWith(view);
    alloc.erase();
  }

  void buildSizeFunction();
  Value approximateSize(Value workerCount, const IRMapping &mapping);
  Value constantF64(double value);

  func::FuncOp forward;
  OpBuilder builder;
  Location loc;
  SmallVector<Temporary> temporaries;
  SmallVector<Slice> slices;
  int64_t scratchBytes = 0;
  Value workspace, workers, end;
};

/// The slice of `forward` that computes the end of the last buffer, as a function of its own.
void WorkspacePlanner::buildSizeFunction() {
  Type index = builder.getIndexType();
  builder.setInsertionPoint(forward);
  auto function = func::FuncOp::create(
      builder, loc, "workspace_size", builder.getFunctionType({index, index, index, index}, index));
  Block *entry = function.addEntryBlock();
  IRMapping mapping;
  const unsigned count = forward.getNumArguments();
  // ..., N, L, S, workspace, workers
  constexpr std::array<unsigned, 4> fromEnd = {5, 4, 3, 1};
  for (auto [argument, position] : llvm::zip(entry->getArguments(), fromEnd))
    mapping.map(forward.getArgument(count - position), argument);
  llvm::SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  (void)getBackwardSlice(end, &slice, options);
  builder.setInsertionPointToEnd(entry);
  for (Operation *op : slice)
    builder.clone(*op, mapping);
  Value fits = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT,
                                     approximateSize(entry->getArgument(3), mapping),
                                     constantF64(kLargestSize));
  Value refused = arith::ConstantIndexOp::create(builder, loc, -1);
  Value size = arith::SelectOp::create(builder, loc, fits, mapping.lookup(end), refused);
  func::ReturnOp::create(builder, loc, size);
}

/// The same sum in float64, which does not wrap around.
Value WorkspacePlanner::approximateSize(Value workerCount, const IRMapping &mapping) {
  auto toFloat = [&](Value index) -> Value {
    Value integer = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
    return arith::SIToFPOp::create(builder, loc, builder.getF64Type(), integer);
  };
  Value sum = arith::MulFOp::create(builder, loc, toFloat(workerCount),
                                    constantF64(static_cast<double>(scratchBytes)));
  for (const Temporary &temporary : temporaries) {
    Value bytes = constantF64(static_cast<double>(temporary.bytes));
    for (Value extent : temporary.extents)
      bytes = arith::MulFOp::create(builder, loc, bytes, toFloat(mapping.lookupOrDefault(extent)));
    sum = arith::AddFOp::create(builder, loc, sum, bytes);
  }
  return sum;
}

Value WorkspacePlanner::constantF64(double value) {
  return arith::ConstantFloatOp::create(builder, loc, builder.getF64Type(), APFloat(value));
}

struct PlanWorkspacePass : impl::PlanWorkspaceBase<PlanWorkspacePass> {
  void runOnOperation() override {
    if (auto forward = getOperation().lookupSymbol<func::FuncOp>("forward"))
      WorkspacePlanner(forward).run();
  }
};
} // namespace
} // namespace attune
