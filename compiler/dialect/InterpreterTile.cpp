//===- InterpreterTile.cpp - Operations on tiles --------------------------===//
#include "dialect/InterpreterCore.h"

#include "dialect/Mha.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;

namespace attune::mha::interpreter {

namespace {
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

//===--- Memory to tiles ---------------------------------------------------===//

/// The last two sizes of `array` from `indices` on.
struct Extent {
  int64_t rows, columns;
};
Extent extentFrom(const Array &array, ArrayRef<int64_t> indices) {
  const size_t last = array.shape.size() - 1;
  return {array.shape[last - 1] - indices[last - 1], array.shape[last] - indices[last]};
}

/// A window of `rows` x `columns` along the last two dimensions.
llvm::Expected<int64_t> checkMatrix(Operation *op, const Array &array, ArrayRef<int64_t> indices,
                                    int64_t rows, int64_t columns) {
  std::vector<int64_t> extents(indices.size(), 1);
  if (extents.size() < 2)
    return fail(op, "needs a memref of at least two dimensions");
  extents[extents.size() - 2] = rows;
  extents.back() = columns;
  return checkWindow(op, array, indices, extents);
}

llvm::Error runPack(Interpreter &interpreter, PackOp op) {
  const Array source = interpreter.array(op.getSource());
  const Array target = interpreter.array(op.getTarget());
  const std::vector<int64_t> from = interpreter.integers(op.getSourceIndices());
  const std::vector<int64_t> to = interpreter.integers(op.getTargetIndices());
  const int64_t count = interpreter.integer(op.getCount());
  if (source.rank() < 2 || target.rank() < 2 || source.shape.size() != from.size() ||
      target.shape.size() != to.size())
    return fail(op, "takes one index a dimension of memrefs of at least two");
  const bool panel = op.getKind() == PackKind::Panel;
  const Extent extent = extentFrom(target, to);
  const int64_t rowLimit = panel ? extent.columns : extent.rows;
  if (llvm::Error error = checkCount(op, "count", count, rowLimit))
    return error;
  // A panel takes as many columns as it is deep; rows take what the source has.
  const int64_t columns =
      panel ? extent.rows : std::min(extentFrom(source, from).columns, extent.columns);
  auto read = checkMatrix(op, source, from, count, columns);
  if (!read)
    return read.takeError();
  auto written = checkMatrix(op, target, to, panel ? extent.rows : count, extent.columns);
  if (!written)
    return written.takeError();
  const int64_t last = source.rank() - 1, targetLast = target.rank() - 1;
  const int64_t targetRow = target.strides[targetLast - (panel ? 0 : 1)];
  const int64_t targetColumn = target.strides[targetLast - (panel ? 1 : 0)];
  for (int64_t row = 0; row < (panel ? extent.columns : count); ++row)
    for (int64_t column = 0; column < (panel ? columns : extent.columns); ++column) {
      double value = 0;
      if (row < count && column < columns)
        value =
            (*source
                  .storage)[*read + row * source.strides[last - 1] + column * source.strides[last]];
      (*target.storage)[*written + row * targetRow + column * targetColumn] =
          interpreter.rounded(value);
    }
  return llvm::Error::success();
}

/// Reads rows that lie transposed in panels: (panel, column, row % width).
llvm::Error loadPanels(LoadOp op, const Array &source, ArrayRef<int64_t> indices, Tile &tile) {
  const size_t last = indices.size() - 1;
  tile.panelWidth = source.shape[last] - indices[last];
  if (tile.panelWidth < 1)
    return fail(op, "starts beyond its panels");
  std::vector<int64_t> extents(indices.size(), 1);
  extents[last - 2] = llvm::divideCeilSigned(tile.count, tile.panelWidth);
  extents[last - 1] = tile.columnCount;
  extents[last] = std::min(tile.count, tile.panelWidth);
  auto position = checkWindow(op, source, indices, extents);
  if (!position)
    return position.takeError();
  for (int64_t row = 0; row < tile.count; ++row)
    for (int64_t column = 0; column < tile.columnCount; ++column)
      tile.row(row)[column] =
          (*source.storage)[*position + row / tile.panelWidth * source.strides[last - 2] +
                            column * source.strides[last - 1] +
                            row % tile.panelWidth * source.strides[last]];
  return llvm::Error::success();
}

llvm::Error runLoad(Interpreter &interpreter, LoadOp op) {
  TileType type = op.getTile().getType();
  const Array source = interpreter.array(op.getSource());
  const std::vector<int64_t> indices = interpreter.integers(op.getIndices());
  Tile tile = Tile::filled(type, poison);
  if (op.getCount())
    tile.count = interpreter.integer(op.getCount());
  if (op.getColumns())
    tile.columnCount = interpreter.integer(op.getColumns());
  if (llvm::Error error = checkCount(op, "count", tile.count, tile.rows))
    return error;
  if (llvm::Error error = checkCount(op, "columns", tile.columnCount, tile.columns))
    return error;
  if (type.getPanel()) {
    if (llvm::Error error = loadPanels(op, source, indices, tile))
      return error;
  } else {
    auto position = checkMatrix(op, source, indices, tile.count, tile.columnCount);
    if (!position)
      return position.takeError();
    const int64_t last = source.rank() - 1;
    for (int64_t row = 0; row < tile.count; ++row)
      for (int64_t column = 0; column < tile.columnCount; ++column)
        tile.row(row)[column] = (*source.storage)[*position + row * source.strides[last - 1] +
                                                  column * source.strides[last]];
  }
  interpreter.round(*tile.values);
  interpreter.set(op.getTile(), std::move(tile));
  return llvm::Error::success();
}

llvm::Error runZero(Interpreter &interpreter, ZeroOp op) {
  interpreter.set(op.getAcc(), Tile::filled(op.getAcc().getType(), 0));
  return llvm::Error::success();
}

llvm::Error runStart(Interpreter &interpreter, StartOp op) {
  const int64_t rows = op.getStats().getType().getRows();
  interpreter.set(op.getAcc(), Tile::filled(op.getAcc().getType(), 0));
  interpreter.set(op.getStats(),
                  Stats{std::vector<double>(rows, kMinusInfinity), std::vector<double>(rows, 0.0)});
  return llvm::Error::success();
}

llvm::Error runWorker(Interpreter &interpreter, WorkerOp op) {
  interpreter.set(op.getResult(), Scalar{0});
  return llvm::Error::success();
}

/// One: iterations run one after the other.
llvm::Error runWorkers(Interpreter &interpreter, WorkersOp op) {
  interpreter.set(op.getResult(), Scalar{1});
  return llvm::Error::success();
}

//===--- Scores ------------------------------------------------------------===//

/// The regions of one mha.scores on one element after the other.
class ScoreRegions {
public:
  ScoreRegions(Interpreter &interpreter, ScoresOp op)
      : first{interpreter.integer(op.getBatch()), interpreter.integer(op.getHead()),
              interpreter.integer(op.getFirstQuery()), interpreter.integer(op.getFirstKey())} {
    for (Value value : op.getTiles()) {
      tiles.push_back(interpreter.get<Tile>(value));
      kinds.emplace_back(cast<TileType>(value.getType()).getElementType(), interpreter.options);
    }
  }

  llvm::Error compile(Interpreter &interpreter, ScoresOp op) {
    for (auto [region, plan] : {std::pair(&op.getScore(), &score), {&op.getKeep(), &keep}}) {
      auto compiled = interpreter.plan(*region);
      if (!compiled)
        return compiled.takeError();
      *plan = *compiled;
    }
    return llvm::Error::success();
  }

  /// s becomes the score of row i and column j of the tile.
  llvm::Error runScore(int64_t i, int64_t j, double &s) {
    if (!score)
      return llvm::Error::success();
    score->arguments()[0].real = s;
    setArguments(score->arguments().drop_front(), i, j);
    Scalar result;
    if (!score->run(result))
      return score->error();
    s = result.real;
    return llvm::Error::success();
  }

  llvm::Error runKeep(int64_t i, int64_t j, bool &kept) {
    kept = true;
    if (!keep)
      return llvm::Error::success();
    setArguments(keep->arguments(), i, j);
    Scalar result;
    if (!keep->run(result))
      return keep->error();
    kept = result.integer != 0;
    return llvm::Error::success();
  }

  bool hasKeep() const { return keep != nullptr; }

private:
  void setArguments(MutableArrayRef<Scalar> arguments, int64_t i, int64_t j) {
    const int64_t point[] = {first[0], first[1], first[2] + i, first[3] + j};
    for (unsigned k = 0; k < 4; ++k)
      arguments[k].integer = point[k];
    for (size_t k = 0; k < tiles.size(); ++k)
      arguments[4 + k] = kinds[k].toScalar(tiles[k].row(i)[j]);
  }

  int64_t first[4]; ///< b, h and the first i and j
  std::vector<Tile> tiles;
  std::vector<ElementKind> kinds;
  RegionPlan *score = nullptr, *keep = nullptr;
};

/// One row of the online softmax: `row` holds scores on entry and probabilities on exit.
template <typename Real>
void softmaxStep(MutableArrayRef<double> row, double &max, double &sum, double &rescale) {
  Real next = static_cast<Real>(max);
  for (double score : row)
    if (const Real s = static_cast<Real>(score); s > next || std::isnan(s))
      next = s; // a NaN wins and stays
  // Without any visible key so far there is nothing to rescale.
  const bool nothing = next == -std::numeric_limits<Real>::infinity();
  const Real factor = nothing ? Real(1) : std::exp(static_cast<Real>(max) - next);
  Real total = static_cast<Real>(sum) * factor;
  for (double &value : row) {
    const Real p = value == kMinusInfinity ? Real(0) : std::exp(static_cast<Real>(value) - next);
    total += p;
    value = p;
  }
  max = next;
  sum = total;
  rescale = factor;
}

/// Generated code visits whole panels of keys: keep must hide what lies beyond `columns` there.
llvm::Error checkHidden(ScoresOp op, ScoreRegions &regions, int64_t row, int64_t columns,
                        int64_t end) {
  for (int64_t column = columns; column < end; ++column) {
    bool kept;
    if (llvm::Error error = regions.runKeep(row, column, kept))
      return error;
    if (kept)
      return fail(op, "keeps column " + llvm::Twine(column) + " of row " + llvm::Twine(row) +
                          ", beyond its " + llvm::Twine(columns) + " columns");
  }
  return llvm::Error::success();
}

llvm::Error runScores(Interpreter &interpreter, ScoresOp op) {
  const Tile query = interpreter.get<Tile>(op.getQuery()), key = interpreter.get<Tile>(op.getKey());
  Stats stats = interpreter.get<Stats>(op.getStats());
  const int64_t count = interpreter.integer(op.getCount());
  const int64_t columns = interpreter.integer(op.getColumns());
  if (llvm::Error error = checkCount(op, "count", count, query.rows))
    return error;
  if (llvm::Error error = checkCount(op, "columns", columns, key.rows))
    return error;
  if (static_cast<int64_t>(stats.sum.size()) != query.rows)
    return fail(op, "has statistics for another number of rows");
  for (Value value : op.getTiles())
    if (const Tile &tile = interpreter.get<Tile>(value);
        tile.rows < query.rows || tile.columns < key.rows)
      return fail(op, "has a tile operand smaller than its scores");
  ScoreRegions regions(interpreter, op);
  if (llvm::Error error = regions.compile(interpreter, op))
    return error;
  std::vector<double> products(count * columns);
  multiply(count, columns, query.columns, {query.values->data(), query.columns, 1},
           {key.values->data(), 1, key.columns}, products.data(), interpreter.options);
  const double scale = interpreter.rounded(op.getScale().convertToDouble());
  const int64_t panel = std::max<int64_t>(key.panelWidth, 1);
  const int64_t end = std::min(llvm::divideCeilSigned(columns, panel) * panel, key.rows);
  Tile p = Tile::filled(op.getP().getType(), poison);
  Rows rescale{std::vector<double>(query.rows, poison)};
  for (int64_t i = 0; i < count; ++i) {
    MutableArrayRef<double> row(p.row(i), columns);
    for (int64_t j = 0; j < columns; ++j) {
      row[j] = interpreter.rounded(products[i * columns + j] * scale);
      bool kept;
      if (llvm::Error error = regions.runScore(i, j, row[j]))
        return error;
      if (llvm::Error error = regions.runKeep(i, j, kept))
        return error;
      if (!kept)
        row[j] = kMinusInfinity;
    }
    if (llvm::Error error = checkHidden(op, regions, i, columns, end))
      return error;
    (interpreter.options.roundToFloat32
         ? softmaxStep<float>
         : softmaxStep<double>)(row, stats.max[i], stats.sum[i], rescale.values[i]);
  }
  p.count = count;
  p.columnCount = columns;
  interpreter.set(op.getP(), std::move(p));
  interpreter.set(op.getRescale(), std::move(rescale));
  interpreter.set(op.getNewStats(), std::move(stats));
  return llvm::Error::success();
}

//===--- Accumulators ------------------------------------------------------===//

llvm::Error runAccumulate(Interpreter &interpreter, AccumulateOp op) {
  const Tile a = interpreter.get<Tile>(op.getA()), b = interpreter.get<Tile>(op.getB());
  Tile acc = interpreter.get<Tile>(op.getAcc());
  acc.values = std::make_shared<std::vector<double>>(*acc.values);
  if (op.getRescale()) {
    const Rows &rescale = interpreter.get<Rows>(op.getRescale());
    if (static_cast<int64_t>(rescale.values.size()) != acc.rows)
      return fail(op, "has rescale factors for another number of rows");
    for (int64_t row = 0; row < acc.rows; ++row)
      for (int64_t column = 0; column < acc.columns; ++column)
        acc.row(row)[column] = interpreter.rounded(acc.row(row)[column] * rescale.values[row]);
  }
  multiply(a.count, acc.columns, b.count, {a.values->data(), a.columns, 1},
           {b.values->data(), b.columns, 1}, acc.values->data(), interpreter.options);
  std::fill(acc.values->begin() + a.count * acc.columns, acc.values->end(), poison);
  interpreter.set(op.getResult(), std::move(acc));
  return llvm::Error::success();
}

llvm::Error runFinish(Interpreter &interpreter, FinishOp op) {
  const Tile acc = interpreter.get<Tile>(op.getAcc());
  const Stats stats = interpreter.get<Stats>(op.getStats());
  const Array target = interpreter.array(op.getTarget());
  const std::vector<int64_t> indices = interpreter.integers(op.getIndices());
  const int64_t count = interpreter.integer(op.getCount());
  const int64_t rows = std::min<int64_t>(acc.rows, stats.sum.size());
  if (llvm::Error error = checkCount(op, "count", count, rows))
    return error;
  if (target.rank() < 2 || target.shape.size() != indices.size())
    return fail(op, "takes one index a dimension of a memref of at least two");
  // The accumulator may be padded beyond the target's columns.
  const int64_t columns = std::min(acc.columns, extentFrom(target, indices).columns);
  auto position = checkMatrix(op, target, indices, count, columns);
  if (!position)
    return position.takeError();
  const int64_t last = target.rank() - 1;
  for (int64_t row = 0; row < count; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      double value = op.getNanMaskedRows() ? poison : 0.0;
      if (stats.sum[row] != 0)
        value = acc.row(row)[column] / stats.sum[row];
      (*target
            .storage)[*position + row * target.strides[last - 1] + column * target.strides[last]] =
          interpreter.rounded(value);
    }
  return llvm::Error::success();
}

llvm::Error runEmit(Interpreter &interpreter, EmitOp op) {
  const Tile acc = interpreter.get<Tile>(op.getAcc());
  const Array target = interpreter.array(op.getTarget());
  const int64_t count = interpreter.integer(op.getCount());
  const int64_t columns = interpreter.integer(op.getColumns());
  if (llvm::Error error = checkCount(op, "count", count, acc.rows))
    return error;
  if (llvm::Error error = checkCount(op, "columns", columns, acc.columns))
    return error;
  auto position = checkMatrix(op, target, interpreter.integers(op.getIndices()), count, columns);
  if (!position)
    return position.takeError();
  std::vector<double> bias(columns, 0.0);
  if (op.getBias()) {
    const Array &source = interpreter.array(op.getBias());
    auto first = checkWindow(op, source, {0}, {columns});
    if (!first)
      return first.takeError();
    for (int64_t column = 0; column < columns; ++column)
      bias[column] = (*source.storage)[*first + column * source.strides[0]];
  }
  const int64_t last = target.rank() - 1;
  for (int64_t row = 0; row < count; ++row)
    for (int64_t column = 0; column < columns; ++column)
      (*target
            .storage)[*position + row * target.strides[last - 1] + column * target.strides[last]] =
          interpreter.rounded(acc.row(row)[column] + bias[column]);
  return llvm::Error::success();
}
} // namespace

void addTileHandlers(HandlerTable &table) {
  add<PackOp>(table, runPack);
  add<LoadOp>(table, runLoad);
  add<ZeroOp>(table, runZero);
  add<StartOp>(table, runStart);
  add<ScoresOp>(table, runScores);
  add<AccumulateOp>(table, runAccumulate);
  add<FinishOp>(table, runFinish);
  add<EmitOp>(table, runEmit);
  add<WorkerOp>(table, runWorker);
  add<WorkersOp>(table, runWorkers);
}

} // namespace attune::mha::interpreter
