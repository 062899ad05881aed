//===- PairScores.cpp - mha.scores with products of pairs -----------------===//
#include "codegen/cpu/KernelAssigner.h"
#include "codegen/cpu/RowLimits.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace attune::cpu {

/// The products of queries and keys in pairs go into `target`, where a scoring kernel reads them.
template <typename Op>
void KernelAssigner::pairProducts(Op op, Value target, ScoringSpec &scoring) {
  const int64_t width = scoring.block.vectors * caller.lanes();
  caller.call(
      PairProductsSpec{PairProductsSpec::Start::Fresh, scoring.block, width, /*panels=*/true},
      {tiles.lookup(op.getQuery()).memref, tiles.lookup(op.getKey()).memref, op.getCount(),
       caller.index(scoring.depth), caller.ceilDiv(op.getColumns(), width), target});
  scoring.hasProducts = true;
  scoring.keyType = ElementType::F32;
}
template void KernelAssigner::pairProducts(mha::LogitsOp, Value, ScoringSpec &);

/// Scratch for a tile, with a cache line more in each row than its columns take: 16 rows whose
/// distance is a power of two would lie in a few sets of the first-level cache.
static Value paddedScratch(KernelCaller &caller, StringRef name, mha::TileType tile, Type element) {
  constexpr int64_t lineBits = 512;
  const int64_t columns = tile.getColumns() + lineBits / element.getIntOrFloatBitWidth();
  return caller.scratch(name, {tile.getRows(), columns}, element);
}

/// Products go into memory, where regions change them, if there are any, before the softmax. That
/// looks itself where keys end.
void KernelAssigner::lowerPairs(mha::ScoresOp op, const ScoringSpec &scoring,
                                ArrayRef<Value> scalars) {
  mha::TileType type = op.getP().getType();
  const StatsBuffer old = stats.find(op.getStats())->second;
  Value s = paddedScratch(caller, "s", type, caller.builder().getF32Type());
  Value p = paddedScratch(caller, "p", type, type.getElementType());
  Value rescale = caller.scratch("rescale", {type.getRows()});
  const int64_t rowStride = cast<MemRefType>(s.getType()).getDimSize(1);
  RegionsSpec regions{scoring, static_cast<int>(rowStride)};
  pairProducts(op, s, regions);
  std::optional<RowLimits> limits = rowLimits(op, caller.builder());
  if (limits)
    regions.keep = RegionProgram();
  PairSoftmaxSpec softmax{1, caller.schedule().exp2Degree};
  if (reachesExponent(scoring))
    softmax.scale = scoring.scale;
  if (!reachesExponent(scoring) || !regions.keep.empty()) {
    SmallVector<Value> operands = {s};
    appendScoringOperands(op, regions, scalars, operands);
    operands.push_back(s);
    caller.call(regions, operands);
  }
  const int64_t width = scoring.block.vectors * caller.lanes();
  Value panels = caller.ceilDiv(op.getColumns(), width);
  Value columns = arith::MulIOp::create(caller.builder(), op.getLoc(), panels, caller.index(width));
  SmallVector<Value> operands = {s, old.maximum, old.sum, op.getCount(), columns};
  if (limits) {
    softmax.step = limits->step;
    llvm::append_values(operands, limits->visible, limits->first);
  }
  llvm::append_values(operands, p, old.nextMaximum, old.nextSum, rescale);
  caller.call(softmax, operands);
  tiles[op.getP()] = {p, op.getCount(), op.getColumns()};
  rescales[op.getRescale()] = rescale;
  stats[op.getNewStats()] = {old.nextMaximum, old.nextSum, old.maximum, old.sum};
}

} // namespace attune::cpu
