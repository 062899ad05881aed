//===- MemoryKernels.cpp - Packing, loading and looking at masks ----------===//
#include "codegen/cpu/KernelAssigner.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace attune::cpu {

void KernelAssigner::lower(mha::PackOp op) {
  auto target = cast<MemRefType>(op.getTarget().getType());
  auto source = cast<MemRefType>(op.getSource().getType());
  const int64_t padded = target.getShape().back();
  if (mha::holdsPairs(target))
    return lowerPairs(op);
  if (op.getKind() == mha::PackKind::Panel) {
    const int64_t depth = target.getDimSize(target.getRank() - 2);
    Value from =
        caller.view(op.getSource(), op.getSourceIndices(), {op.getCount(), caller.index(depth)});
    Value to = caller.view(op.getTarget(), op.getTargetIndices(),
                           {caller.index(depth), caller.index(padded)});
    PackPanelSpec spec{static_cast<int>(padded), caller.elementType(op.getSource())};
    caller.call(spec, {from, op.getCount(), to});
    return;
  }
  // A run-time width is whole: the pack starts at column 0.
  auto width = [&](Value memref, int64_t size) -> Value {
    if (!ShapedType::isDynamic(size))
      return caller.index(size);
    const int64_t last = cast<MemRefType>(memref.getType()).getRank() - 1;
    return memref::DimOp::create(caller.builder(), op.getLoc(), memref, last);
  };
  Value columns = width(op.getSource(), source.getShape().back());
  PackRowsSpec spec{caller.elementType(op.getSource()), caller.elementType(op.getTarget())};
  SmallVector<Value> operands = {
      caller.view(op.getSource(), op.getSourceIndices(), {op.getCount(), columns})};
  if (op.getPadding()) {
    operands.push_back(caller.view(op.getPadding(), op.getPaddingIndices(), op.getCount()));
    spec.padding = caller.elementType(op.getPadding());
  }
  Value to = caller.view(op.getTarget(), op.getTargetIndices(),
                         {op.getCount(), width(op.getTarget(), padded)});
  llvm::append_values(operands, columns, to);
  caller.call(spec, operands);
}

/// Whole tiles of pairs are written, whatever the count: a tile of values has so many.
void KernelAssigner::lowerPairs(mha::PackOp op) {
  auto target = cast<MemRefType>(op.getTarget().getType());
  auto source = cast<MemRefType>(op.getSource().getType());
  PackPairsSpec spec{caller.elementType(op.getSource()), op.getKind() == mha::PackKind::Panel};
  SmallVector<Value> operands = {
      caller.view(op.getSource(), op.getSourceIndices(),
                  {op.getCount(), caller.index(source.getShape().back())})};
  Value pairs;
  if (spec.panel) {
    operands.push_back(op.getCount());
    pairs = caller.index(target.getDimSize(target.getRank() - 2));
  } else {
    Value tiles = caller.ceilDiv(op.getCount(), pairTileDepth);
    pairs = arith::MulIOp::create(caller.builder(), op.getLoc(), tiles,
                                  caller.index(pairTileDepth / 2));
  }
  if (op.getPadding()) {
    operands.push_back(caller.view(op.getPadding(), op.getPaddingIndices(), op.getCount()));
    spec.padding = caller.elementType(op.getPadding());
  }
  operands.push_back(caller.view(op.getTarget(), op.getTargetIndices(),
                                 {pairs, caller.index(target.getShape().back())}));
  caller.call(spec, operands);
}

/// The cast disappears with the types of memrefs.
void KernelAssigner::lower(mha::AsPairsOp op) {
  auto cast = UnrealizedConversionCastOp::create(caller.builder(), op.getLoc(),
                                                 op.getPairs().getType(), op.getFloats());
  op.getPairs().replaceAllUsesWith(cast.getResult(0));
}

void KernelAssigner::lower(mha::ClearOp op) { caller.fill(op.getTarget(), 0.0); }

void KernelAssigner::lower(mha::KeyRangeOp op) {
  Value padding = caller.view(op.getPadding(), op.getIndices(), op.getCount());
  Value range = caller.view(op.getTarget(), op.getTargetIndices(), caller.index(2));
  caller.call(KeyRangeSpec{caller.elementType(padding)}, {padding, range});
}

void KernelAssigner::lower(mha::ClassifyOp op) {
  OpBuilder &builder = caller.builder();
  Value classes = caller.scratch("classes", {2}, builder.getI32Type());
  caller.call(ClassifySpec{}, {tiles.lookup(op.getMask()).memref, classes});
  for (auto [position, result] : llvm::enumerate(op.getResults())) {
    Value flag = memref::LoadOp::create(builder, op.getLoc(), classes, caller.index(position));
    Value zero = arith::ConstantIntOp::create(builder, op.getLoc(), builder.getI32Type(), 0);
    result.replaceAllUsesWith(
        arith::CmpIOp::create(builder, op.getLoc(), arith::CmpIPredicate::ne, flag, zero));
  }
}

/// True for a tile that regions read element by element: a use behind query and key.
static bool isRegionOperand(mha::LoadOp op) {
  return llvm::all_of(op.getTile().getUses(), [](OpOperand &use) {
    return isa<mha::ScoresOp, mha::LogitsOp>(use.getOwner()) && use.getOperandNumber() > 1;
  });
}

void KernelAssigner::lower(mha::LoadOp op) {
  mha::TileType type = op.getTile().getType();
  TileBuffer buffer;
  buffer.count = op.getCount() ? op.getCount() : caller.index(type.getRows());
  buffer.columns = op.getColumns() ? op.getColumns() : caller.index(type.getColumns());
  if (type.getPanel()) {
    auto shape = cast<MemRefType>(op.getSource().getType()).getShape().take_back(3);
    buffer.memref =
        caller.view(op.getSource(), op.getIndices(),
                    {caller.index(shape[0]), caller.index(shape[1]), caller.index(shape[2])});
  } else if (isRegionOperand(op)) {
    buffer.memref = regionOperand(op, buffer);
  } else {
    const bool pairs = mha::holdsPairs(op.getSource().getType());
    buffer.memref =
        caller.view(op.getSource(), op.getIndices(),
                    {pairs ? caller.ceilDiv(buffer.count, 2) : buffer.count, buffer.columns});
  }
  tiles[op.getTile()] = buffer;
}

/// The kernel reads whole tiles, so that one which reaches beyond its memref is copied first.
Value KernelAssigner::regionOperand(mha::LoadOp load, const TileBuffer &tile) {
  mha::TileType type = load.getTile().getType();
  OpBuilder &builder = caller.builder();
  Location loc = load.getLoc();
  auto isWhole = [&](Value extent, int64_t whole) {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, extent,
                                 caller.index(whole));
  };
  Value whole = arith::AndIOp::create(builder, loc, isWhole(tile.count, type.getRows()),
                                      isWhole(tile.columns, type.getColumns()));
  const ElementType element = caller.elementType(load.getSource());
  // Operands of one operation are read together: each has a buffer of its own.
  const unsigned position = load.getTile().use_begin()->getOperandNumber();
  std::string name = (element == ElementType::U8 ? "mask" : "bias") + std::to_string(position);
  Value copy = caller.scratch(name, {type.getRows(), type.getColumns()}, type.getElementType());
  auto view = [&] {
    return caller.view(load.getSource(), load.getIndices(), {tile.count, tile.columns});
  };
  auto branch = scf::IfOp::create(builder, loc, caller.viewType(2, type.getElementType()), whole,
                                  /*withElse=*/true);
  builder.setInsertionPointToStart(&branch.getThenRegion().front());
  scf::YieldOp::create(builder, loc, view());
  builder.setInsertionPointToStart(&branch.getElseRegion().front());
  Value zero = caller.index(0);
  caller.call(PackRowsSpec{element, element},
              {view(), tile.columns, caller.view(copy, {zero, zero}, {tile.count, tile.columns})});
  scf::YieldOp::create(builder, loc, caller.generalize(copy));
  builder.setInsertionPointAfter(branch);
  return branch.getResult(0);
}

} // namespace attune::cpu
