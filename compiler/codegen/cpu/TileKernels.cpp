//===- TileKernels.cpp - Calls of kernels that compute on tiles -----------===//
#include "codegen/cpu/KernelAssigner.h"

#include "codegen/cpu/RegionTranslation.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace attune::cpu {

Value KernelAssigner::accumulator(mha::TileType type) {
  Value acc = caller.scratch("acc", {type.getRows(), type.getColumns()});
  caller.fill(acc, 0.0);
  return acc;
}

/// Whether an accumulator starts with a product, which need not read it.
static bool startsProduct(mha::ZeroOp op) {
  auto first = op.getAcc().hasOneUse() ? dyn_cast<mha::AccumulateOp>(*op.getAcc().user_begin())
                                       : mha::AccumulateOp();
  return first && !first.getRescale() && !first.getFewRows();
}

void KernelAssigner::lower(mha::ZeroOp op) {
  mha::TileType type = op.getAcc().getType();
  Value acc = startsProduct(op) ? caller.scratch("acc", {type.getRows(), type.getColumns()})
                                : accumulator(type);
  tiles[op.getAcc()] = {acc, {}, {}};
}

StatsBuffer KernelAssigner::statistics(int64_t rows) {
  const int64_t lanes = caller.lanes();
  return {caller.scratch("maximum", {rows}), caller.scratch("sum", {rows, lanes}),
          caller.scratch("next_maximum", {rows}), caller.scratch("next_sum", {rows, lanes})};
}

void KernelAssigner::lower(mha::StartOp op) {
  tiles[op.getAcc()] = {accumulator(op.getAcc().getType()), {}, {}};
  const StatsBuffer buffer = statistics(op.getStats().getType().getRows());
  caller.fill(buffer.maximum, -std::numeric_limits<double>::infinity());
  caller.fill(buffer.sum, 0.0);
  stats[op.getStats()] = buffer;
}

//===--- Scores ------------------------------------------------------------===//

template <typename Op>
LogicalResult KernelAssigner::describeScoring(Op op, ScoringSpec &spec,
                                              SmallVector<Value> &scalars) {
  spec.block = caller.schedule().scores;
  spec.keyRows = !op.getKey().getType().getPanel();
  if (spec.keyRows)
    spec.block = {1, caller.schedule().keyGroupVectors(static_cast<int>(caller.lanes()))};
  spec.keyType = caller.elementType(tiles.lookup(op.getKey()).memref);
  spec.depth = op.getQuery().getType().getColumns();
  spec.scale = op.getScale().convertToDouble();
  auto score = translateRegion(op.getScore(), true, scalars);
  auto keep = translateRegion(op.getKeep(), false, scalars);
  if (failed(score) || failed(keep))
    return failure();
  spec.score = *score;
  spec.keep = *keep;
  spec.scalars = scalars.size();
  for (Value tile : op.getTiles())
    spec.tiles.push_back({caller.elementType(tiles.lookup(tile).memref),
                          cast<mha::TileType>(tile.getType()).getRows() == 1});
  return success();
}

/// Tile operands, extents, indices and scalars, as both scoring kernels take them.
template <typename Op>
void KernelAssigner::appendScoringOperands(Op op, const ScoringSpec &spec, ValueRange scalars,
                                           SmallVector<Value> &operands) {
  for (Value tile : op.getTiles())
    operands.push_back(tiles.lookup(tile).memref);
  Value panels = caller.ceilDiv(op.getColumns(), spec.block.vectors * caller.lanes());
  llvm::append_values(operands, op.getCount(), panels, op.getBatch(), op.getHead(),
                      op.getFirstQuery(), op.getFirstKey());
  llvm::append_range(operands, scalars);
}
template void KernelAssigner::appendScoringOperands(mha::ScoresOp, const ScoringSpec &, ValueRange,
                                                    SmallVector<Value> &);

LogicalResult KernelAssigner::lower(mha::ScoresOp op) {
  ScoresSpec spec;
  SmallVector<Value> scalars;
  if (failed(describeScoring(op, spec, scalars)))
    return failure();
  if (spec.keyType == ElementType::I32) {
    lowerPairs(op, spec, scalars);
    return success();
  }
  spec.tileColumns = op.getP().getType().getColumns();
  spec.exp2Degree = caller.schedule().exp2Degree;
  const StatsBuffer old = stats.find(op.getStats())->second;
  const int64_t rows = op.getP().getType().getRows();
  Value p = caller.scratch("p", {rows, spec.tileColumns});
  Value rescale = caller.scratch("rescale", {rows});
  SmallVector<Value> operands = {tiles.lookup(op.getQuery()).memref,
                                 tiles.lookup(op.getKey()).memref};
  llvm::append_values(operands, old.maximum, old.sum);
  appendScoringOperands(op, spec, scalars, operands);
  llvm::append_values(operands, p, /*s=*/p, old.nextMaximum, old.nextSum, rescale);
  caller.call(spec, operands);
  tiles[op.getP()] = {p, op.getCount(), op.getColumns()};
  rescales[op.getRescale()] = rescale;
  stats[op.getNewStats()] = {old.nextMaximum, old.nextSum, old.maximum, old.sum};
  return success();
}

LogicalResult KernelAssigner::lower(mha::LogitsOp op) {
  LogitsSpec spec;
  SmallVector<Value> scalars;
  if (failed(describeScoring(op, spec, scalars)))
    return failure();
  const StatsBuffer old = stats.find(op.getStats())->second;
  // Whole register blocks of rows and whole panels are written; what lies there is scratch.
  auto target = cast<MemRefType>(op.getTarget().getType());
  Value logits = caller.view(op.getTarget(), op.getIndices(),
                             {caller.index(target.getDimSize(target.getRank() - 2)),
                              caller.index(op.getKey().getType().getRows())});
  SmallVector<Value> operands = {tiles.lookup(op.getQuery()).memref,
                                 tiles.lookup(op.getKey()).memref};
  if (spec.keyType == ElementType::I32) {
    pairProducts(op, logits, spec);
    operands = {logits};
  }
  operands.push_back(old.maximum);
  appendScoringOperands(op, spec, scalars, operands);
  if (storesScores(spec))
    operands.push_back(logits);
  operands.push_back(old.nextMaximum);
  caller.call(spec, operands);
  stats[op.getNewStats()] = {old.nextMaximum, old.sum, old.maximum, old.nextSum};
  return success();
}

void KernelAssigner::lower(mha::SoftmaxOp op) {
  const StatsBuffer &buffer = stats.find(op.getStats())->second;
  Value rows = caller.view(op.getScores(), op.getIndices(), {op.getCount(), op.getColumns()});
  SoftmaxSpec spec{caller.schedule().exp2Degree, op.getScale().convertToDouble(),
                   /*rounds=*/static_cast<bool>(op.getRounded())};
  SmallVector<Value> operands = {rows, buffer.maximum, rows};
  if (spec.rounds)
    operands.push_back(
        caller.view(op.getRounded(), op.getRoundedIndices(), {op.getCount(), op.getColumns()}));
  operands.push_back(buffer.sum);
  caller.call(spec, operands);
  stats[op.getNewStats()] = StatsBuffer(buffer);
}

//===--- Accumulators ------------------------------------------------------===//

void KernelAssigner::lowerFewRows(mha::AccumulateOp op) {
  TileBuffer acc = tiles.lookup(op.getAcc()), a = tiles.lookup(op.getA()),
             b = tiles.lookup(op.getB());
  caller.call(AccumulateRowsSpec{op.getAcc().getType().getColumns(), caller.elementType(b.memref)},
              {a.memref, b.memref, rescales.lookup(op.getRescale()), acc.memref, a.count, b.count,
               acc.memref});
  tiles[op.getResult()] = acc;
}

void KernelAssigner::lowerPairs(mha::AccumulateOp op) {
  TileBuffer acc = tiles.lookup(op.getAcc()), a = tiles.lookup(op.getA()),
             b = tiles.lookup(op.getB());
  const CpuSchedule &schedule = caller.schedule();
  PairProductsSpec spec{PairProductsSpec::Start::Added,
                        op.getProjection() ? schedule.projection : schedule.values,
                        op.getAcc().getType().getColumns()};
  if (op.getAcc().getDefiningOp<mha::ZeroOp>())
    spec.start = PairProductsSpec::Start::Fresh;
  spec.prefetchNext = op.getProjection(); // weight panels follow each other in memory
  SmallVector<Value> operands = {a.memref, b.memref};
  if (op.getRescale()) {
    spec.start = PairProductsSpec::Start::Rescaled;
    operands.push_back(rescales.lookup(op.getRescale()));
  }
  llvm::append_values(operands, a.count, b.count, acc.memref);
  caller.call(spec, operands);
  tiles[op.getResult()] = acc;
}

void KernelAssigner::lower(mha::AccumulateOp op) {
  if (op.getFewRows())
    return lowerFewRows(op);
  if (multipliesPairs(op))
    return lowerPairs(op);
  TileBuffer acc = tiles.lookup(op.getAcc()), a = tiles.lookup(op.getA()),
             b = tiles.lookup(op.getB());
  AccumulateSpec spec;
  spec.block = op.getProjection() ? caller.schedule().projection : caller.schedule().values;
  spec.columns = op.getAcc().getType().getColumns();
  spec.rescaled = static_cast<bool>(op.getRescale());
  spec.bDense = caller.isDense(b.memref, spec.columns);
  if (op.getA().getDefiningOp<mha::ScoresOp>()) // a whole scratch tile
    spec.aColumns = op.getA().getType().getColumns();
  spec.prefetchNext = op.getProjection(); // weight panels follow each other in memory
  SmallVector<Value> operands = {a.memref, b.memref};
  if (spec.rescaled)
    operands.push_back(rescales.lookup(op.getRescale()));
  spec.fresh = static_cast<bool>(op.getAcc().getDefiningOp<mha::ZeroOp>());
  if (!spec.fresh)
    operands.push_back(acc.memref);
  llvm::append_values(operands, a.count, b.count);
  spec.fetchAhead = fetchesAhead(op);
  if (spec.fetchAhead)
    appendFetchOperands(op, operands);
  operands.push_back(acc.memref);
  caller.call(spec, operands);
  tiles[op.getResult()] = acc;
}

void KernelAssigner::lower(mha::FinishOp op) {
  FinishSpec spec;
  spec.columns = cast<MemRefType>(op.getTarget().getType()).getShape().back();
  spec.paddedColumns = op.getAcc().getType().getColumns();
  spec.zeroMaskedRows = !op.getNanMaskedRows();
  spec.outType = caller.elementType(op.getTarget());
  Value target =
      caller.view(op.getTarget(), op.getIndices(), {op.getCount(), caller.index(spec.columns)});
  caller.call(spec, {tiles.lookup(op.getAcc()).memref, stats.find(op.getStats())->second.sum,
                     op.getCount(), target});
}

void KernelAssigner::lower(mha::SaveOp op) {
  const int64_t columns = op.getAcc().getType().getColumns();
  const StatsBuffer &buffer = stats.find(op.getStats())->second;
  Value partial =
      caller.view(op.getPartials(), op.getIndices(), {op.getCount(), caller.index(columns)});
  Value statistic =
      caller.view(op.getStatistics(), op.getStatisticsIndices(), {op.getCount(), caller.index(2)});
  caller.call(SaveSpec{columns}, {tiles.lookup(op.getAcc()).memref, buffer.maximum, buffer.sum,
                                  op.getCount(), partial, statistic});
}

void KernelAssigner::lower(mha::MergeOp op) {
  mha::TileType type = op.getAcc().getType();
  const int64_t rows = type.getRows(), columns = type.getColumns();
  Value partials = caller.view(op.getPartials(), op.getIndices(),
                               {op.getParts(), op.getCount(), caller.index(columns)});
  Value statistic = caller.view(op.getStatistics(), op.getStatisticsIndices(),
                                {op.getParts(), op.getCount(), caller.index(2)});
  Value acc = caller.scratch("acc", {rows, columns});
  const StatsBuffer buffer = statistics(rows);
  caller.call(MergeSpec{columns},
              {partials, statistic, op.getParts(), op.getCount(), acc, buffer.maximum, buffer.sum});
  tiles[op.getAcc()] = {acc, {}, {}};
  stats[op.getStats()] = buffer;
}

void KernelAssigner::lower(mha::EmitWeightsOp op) {
  EmitWeightsSpec spec;
  spec.outType = caller.elementType(op.getTarget());
  spec.add = op.getAdd();
  spec.zeroMaskedRows = !op.getNanMaskedRows();
  spec.factor = op.getFactor().convertToDouble();
  Value target =
      caller.view(op.getTarget(), op.getTargetIndices(), {op.getCount(), op.getColumns()});
  SmallVector<Value> operands = {
      caller.view(op.getP(), op.getPIndices(), {op.getCount(), op.getVisited()}),
      stats.find(op.getStats())->second.sum};
  if (spec.add)
    operands.push_back(target);
  llvm::append_values(operands, op.getVisited(), target);
  caller.call(spec, operands);
}

void KernelAssigner::lower(mha::EmitOp op) {
  EmitSpec spec;
  spec.paddedColumns = op.getAcc().getType().getColumns();
  spec.biased = static_cast<bool>(op.getBias());
  spec.outType = caller.elementType(op.getTarget());
  SmallVector<Value> operands = {tiles.lookup(op.getAcc()).memref};
  if (op.getBias())
    operands.push_back(op.getBias());
  operands.push_back(
      caller.view(op.getTarget(), op.getIndices(), {op.getCount(), op.getColumns()}));
  caller.call(spec, operands);
}

/// Panels of all tiles follow each other, so that a view of the first may reach beyond its tile.
void KernelAssigner::lower(mha::EmitPackedOp op) {
  OpBuilder &builder = caller.builder();
  const bool panel = op.getKind() == mha::PackKind::Panel, biased = static_cast<bool>(op.getBias());
  const bool pairs = mha::holdsPairs(op.getTarget().getType());
  const int64_t unit = pairs ? 2 : 1, width = op.getTarget().getType().getShape().back();
  SmallVector<Value> operands = {caller.view(tiles.lookup(op.getAcc()).memref,
                                             {op.getRow(), op.getColumn()},
                                             {op.getCount(), op.getColumns()})};
  if (biased)
    operands.push_back(caller.view(op.getBias(), op.getColumn(), op.getColumns()));
  auto plus = [&](Value a, Value b) -> Value {
    return arith::AddIOp::create(builder, op.getLoc(), a, b);
  };
  SmallVector<Value> indices(op.getIndices());
  const size_t last = indices.size() - 1;
  if (!panel && !pairs) { // a row a key: the view starts at the first
    indices[last - 1] = plus(indices[last - 1], op.getKey());
    indices[last] = plus(indices[last], op.getDepth());
    operands.push_back(
        caller.view(op.getTarget(), indices, {op.getFillCount(), op.getFillColumns()}));
    return caller.call(EmitPackedSpec{biased}, operands);
  }
  Value end = plus(op.getKey(), op.getFillCount());
  llvm::append_values(operands, op.getKey(), end);
  SmallVector<Value> extents;
  if (panel) {
    Value depth = op.getDepth();
    if (pairs)
      depth = arith::DivUIOp::create(builder, op.getLoc(), depth, caller.index(unit));
    indices[last - 1] = plus(indices[last - 1], depth);
    extents = {caller.ceilDiv(end, width), caller.ceilDiv(op.getFillColumns(), unit),
               caller.index(width)};
  } else {
    indices[last] = plus(indices[last], op.getDepth());
    extents = {caller.ceilDiv(end, unit), op.getFillColumns()};
  }
  operands.push_back(caller.view(op.getTarget(), indices, extents));
  if (pairs)
    caller.call(EmitPairsSpec{panel, biased}, operands);
  else
    caller.call(EmitPackedSpec{biased, width}, operands);
}

} // namespace attune::cpu
