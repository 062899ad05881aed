//===- PairScores.cpp - mha.scores with products of pairs -----------------===//
#include "codegen/cpu/KernelAssigner.h"
#include "codegen/cpu/RowLimits.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

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

namespace {
/// The rows of a tile of scores, which become probabilities in place: a row of these takes the
/// first half of a row of those.
struct ScoreRows {
  Value scores, probabilities;
};
} // namespace

/// Rows have a cache line more than their columns take: 16 rows whose distance is a power of two
/// would lie in a few sets of the first-level cache.
static ScoreRows allocateRows(KernelCaller &caller, mha::TileType tile, Location loc) {
  constexpr int64_t lineBytes = 64, scoreBytes = 4;
  OpBuilder &builder = caller.builder();
  const int64_t rows = tile.getRows(), rowBytes = tile.getColumns() * scoreBytes + lineBytes;
  Value memory = caller.scratch("scores", {rows * rowBytes}, builder.getI8Type());
  auto view = [&](Type element) -> Value {
    const int64_t columns = rowBytes * 8 / element.getIntOrFloatBitWidth();
    return memref::ViewOp::create(builder, loc, MemRefType::get({rows, columns}, element), memory,
                                  caller.index(0), ValueRange());
  };
  return {view(builder.getF32Type()), view(tile.getElementType())};
}

/// Products go into memory, where regions change them, if there are any, before the softmax. That
/// looks itself where keys end.
void KernelAssigner::lowerPairs(mha::ScoresOp op, const ScoringSpec &scoring,
                                ArrayRef<Value> scalars) {
  mha::TileType type = op.getP().getType();
  const StatsBuffer old = stats.find(op.getStats())->second;
  auto [s, p] = allocateRows(caller, type, op.getLoc());
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
