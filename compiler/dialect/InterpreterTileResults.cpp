//===- InterpreterTileResults.cpp - Accumulators and what is stored -------===//
#include "dialect/InterpreterTile.h"

#include "dialect/Mha.h"
#include <cmath>

using namespace mlir;

namespace attune::mha::interpreter {

namespace {
llvm::Error runZero(Interpreter &interpreter, ZeroOp op) {
  interpreter.set(op.getAcc(), Tile::filled(op.getAcc().getType(), 0));
  return llvm::Error::success();
}

llvm::Error runStart(Interpreter &interpreter, StartOp op) {
  const int64_t rows = op.getStats().getType().getRows();
  interpreter.set(op.getAcc(), Tile::filled(op.getAcc().getType(), 0));
  interpreter.set(op.getStats(),
                  Stats{std::vector<double>(rows, minusInfinity), std::vector<double>(rows, 0.0)});
  return llvm::Error::success();
}

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

/// value / sum, and for a row that saw no key what the operation says.
template <typename Op> double normalised(Op op, double value, double sum) {
  if (sum == 0)
    return op.getNanMaskedRows() ? poison : 0.0;
  return value / sum;
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
  auto window = windowAt(op, target, indices, {count, columns});
  if (!window)
    return window.takeError();
  for (int64_t row = 0; row < count; ++row)
    for (int64_t column = 0; column < columns; ++column)
      window->at(row, column) =
          interpreter.rounded(normalised(op, acc.row(row)[column], stats.sum[row]));
  return llvm::Error::success();
}

llvm::Error runEmitWeights(Interpreter &interpreter, EmitWeightsOp op) {
  const Stats stats = interpreter.get<Stats>(op.getStats());
  const int64_t count = interpreter.integer(op.getCount());
  const int64_t columns = interpreter.integer(op.getColumns());
  const int64_t visited = interpreter.integer(op.getVisited());
  if (llvm::Error error = checkCount(op, "count", count, stats.sum.size()))
    return error;
  if (llvm::Error error = checkCount(op, "visited", visited, columns))
    return error;
  auto p = windowAt(op, interpreter.array(op.getP()), interpreter.integers(op.getPIndices()),
                    {count, visited});
  if (!p)
    return p.takeError();
  auto target = windowAt(op, interpreter.array(op.getTarget()),
                         interpreter.integers(op.getTargetIndices()), {count, columns});
  if (!target)
    return target.takeError();
  const double factor = interpreter.rounded(op.getFactor().convertToDouble());
  for (int64_t row = 0; row < count; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      // A sum that is NaN makes the whole row NaN, also where no key was visited.
      const double value =
          normalised(op, column < visited ? p->at(row, column) : 0.0, stats.sum[row]);
      const double weight = interpreter.rounded(interpreter.rounded(value) * factor);
      double &stored = target->at(row, column);
      stored = op.getAdd() ? interpreter.rounded(stored + weight) : weight;
    }
  return llvm::Error::success();
}

llvm::Error runSave(Interpreter &interpreter, SaveOp op) {
  const Tile acc = interpreter.get<Tile>(op.getAcc());
  const Stats stats = interpreter.get<Stats>(op.getStats());
  const int64_t count = interpreter.integer(op.getCount());
  if (llvm::Error error = checkCount(op, "count", count, acc.rows))
    return error;
  auto partial = windowAt(op, interpreter.array(op.getPartials()),
                          interpreter.integers(op.getIndices()), {count, acc.columns});
  if (!partial)
    return partial.takeError();
  auto statistics = windowAt(op, interpreter.array(op.getStatistics()),
                             interpreter.integers(op.getStatisticsIndices()), {count, 2});
  if (!statistics)
    return statistics.takeError();
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t column = 0; column < acc.columns; ++column)
      partial->at(row, column) = acc.row(row)[column];
    statistics->at(row, 0) = stats.max[row];
    statistics->at(row, 1) = stats.sum[row];
  }
  return llvm::Error::success();
}

/// exp(maximum - merged), and 0 for a part without a visible key.
double mergeFactor(Interpreter &interpreter, double maximum, double merged) {
  return maximum == minusInfinity ? 0.0 : interpreter.rounded(std::exp(maximum - merged));
}

llvm::Error runMerge(Interpreter &interpreter, MergeOp op) {
  Tile acc = Tile::filled(op.getAcc().getType(), poison);
  Stats stats{std::vector<double>(acc.rows, poison), std::vector<double>(acc.rows, poison)};
  const int64_t count = interpreter.integer(op.getCount());
  const int64_t parts = interpreter.integer(op.getParts());
  if (llvm::Error error = checkCount(op, "count", count, acc.rows))
    return error;
  std::vector<Window> partials, statistics;
  for (int64_t part = 0; part < parts; ++part)
    for (auto [windows, array, from, columns] :
         {std::tuple(&partials, op.getPartials(), op.getIndices(), acc.columns),
          {&statistics, op.getStatistics(), op.getStatisticsIndices(), int64_t(2)}}) {
      std::vector<int64_t> indices = interpreter.integers(from);
      indices[indices.size() - 3] += part;
      auto window = windowAt(op, interpreter.array(array), indices, {count, columns});
      if (!window)
        return window.takeError();
      windows->push_back(*window);
    }
  for (int64_t row = 0; row < count; ++row) {
    double merged = minusInfinity;
    for (const Window &part : statistics)
      if (const double maximum = part.at(row, 0); maximum > merged || std::isnan(maximum))
        merged = maximum;
    stats.max[row] = merged;
    stats.sum[row] = 0;
    std::fill_n(acc.row(row), acc.columns, 0.0);
    for (int64_t part = 0; part < parts; ++part) {
      const double factor = mergeFactor(interpreter, statistics[part].at(row, 0), merged);
      stats.sum[row] = interpreter.rounded(stats.sum[row] + factor * statistics[part].at(row, 1));
      for (int64_t column = 0; column < acc.columns; ++column)
        acc.row(row)[column] =
            interpreter.rounded(acc.row(row)[column] + factor * partials[part].at(row, column));
    }
  }
  interpreter.set(op.getAcc(), std::move(acc));
  interpreter.set(op.getStats(), std::move(stats));
  return llvm::Error::success();
}

/// `columns` elements of a bias from `first` on; zeros without one.
llvm::Expected<std::vector<double>> biasFrom(Interpreter &interpreter, Operation *op, Value bias,
                                             int64_t first, int64_t columns) {
  std::vector<double> elements(columns, 0.0);
  if (!bias)
    return elements;
  const Array &source = interpreter.array(bias);
  auto position = checkWindow(op, source, {first}, {columns});
  if (!position)
    return position.takeError();
  for (int64_t column = 0; column < columns; ++column)
    elements[column] = (*source.storage)[*position + column * source.strides[0]];
  return elements;
}

llvm::Error runEmit(Interpreter &interpreter, EmitOp op) {
  const Tile acc = interpreter.get<Tile>(op.getAcc());
  const int64_t count = interpreter.integer(op.getCount());
  const int64_t columns = interpreter.integer(op.getColumns());
  if (llvm::Error error = checkCount(op, "count", count, acc.rows))
    return error;
  if (llvm::Error error = checkCount(op, "columns", columns, acc.columns))
    return error;
  auto target = windowAt(op, interpreter.array(op.getTarget()),
                         interpreter.integers(op.getIndices()), {count, columns});
  if (!target)
    return target.takeError();
  auto bias = biasFrom(interpreter, op, op.getBias(), 0, columns);
  if (!bias)
    return bias.takeError();
  for (int64_t row = 0; row < count; ++row)
    for (int64_t column = 0; column < columns; ++column)
      target->at(row, column) = interpreter.rounded(acc.row(row)[column] + (*bias)[column]);
  return llvm::Error::success();
}

/// The place of an element, or its pair, in the target of mha.emit_packed, from `indices` on.
llvm::Expected<double *> packedPlace(EmitPackedOp op, const Array &target,
                                     std::vector<int64_t> indices, int64_t key, int64_t depth) {
  const int64_t unit = holdsPairs(op.getTarget().getType()) ? 2 : 1;
  const size_t last = indices.size() - 1;
  if (op.getKind() == PackKind::Panel) {
    const int64_t width = target.shape[last], panels = target.shape[last - 2];
    indices[last - 3] += key / width / panels;
    indices[last - 2] += key / width % panels;
    indices[last - 1] += depth / unit;
    indices[last] += key % width;
  } else {
    indices[last - 1] += key / unit;
    indices[last] += depth;
  }
  auto position = checkWindow(op, target, indices, std::vector<int64_t>(indices.size(), 1));
  if (!position)
    return position.takeError();
  return &(*target.storage)[*position];
}

llvm::Error runEmitPacked(Interpreter &interpreter, EmitPackedOp op) {
  const Tile acc = interpreter.get<Tile>(op.getAcc());
  const Array target = interpreter.array(op.getTarget());
  const std::vector<int64_t> indices = interpreter.integers(op.getIndices());
  const int64_t row = interpreter.integer(op.getRow()),
                column = interpreter.integer(op.getColumn());
  const int64_t count = interpreter.integer(op.getCount());
  const int64_t columns = interpreter.integer(op.getColumns());
  const int64_t firstKey = interpreter.integer(op.getKey());
  const int64_t firstDepth = interpreter.integer(op.getDepth());
  const bool panel = op.getKind() == PackKind::Panel;
  if (llvm::Error error = checkCount(op, "row", row, acc.rows))
    return error;
  if (llvm::Error error = checkCount(op, "column", column, acc.columns))
    return error;
  if (llvm::Error error = checkCount(op, "count", count, acc.rows - row))
    return error;
  if (llvm::Error error = checkCount(op, "columns", columns, acc.columns - column))
    return error;
  if (panel && holdsPairs(op.getTarget().getType()) && firstDepth % 2 != 0)
    return fail(op, "starts within a pair");
  auto bias = biasFrom(interpreter, op, op.getBias(), column, columns);
  if (!bias)
    return bias.takeError();
  for (int64_t r = 0; r < interpreter.integer(op.getFillCount()); ++r)
    for (int64_t c = 0; c < interpreter.integer(op.getFillColumns()); ++c) {
      auto place = packedPlace(op, target, indices, firstKey + r, firstDepth + c);
      if (!place)
        return place.takeError();
      const bool isThere = r < count && c < columns;
      const double value =
          isThere ? interpreter.rounded(acc.row(row + r)[column + c] + (*bias)[c]) : 0;
      if (!holdsPairs(op.getTarget().getType())) {
        **place = value;
        continue;
      }
      const int64_t half = (panel ? firstDepth + c : firstKey + r) % 2;
      double &pair = **place;
      const double other = std::isnan(pair) ? poison : elementOfPair(pair, 1 - half);
      pair = half == 0 ? pairOf(value, other) : pairOf(other, value);
    }
  return llvm::Error::success();
}
} // namespace

void addTileResultHandlers(HandlerTable &table) {
  add<ZeroOp>(table, runZero);
  add<StartOp>(table, runStart);
  add<AccumulateOp>(table, runAccumulate);
  add<FinishOp>(table, runFinish);
  add<EmitWeightsOp>(table, runEmitWeights);
  add<SaveOp>(table, runSave);
  add<MergeOp>(table, runMerge);
  add<EmitOp>(table, runEmit);
  add<EmitPackedOp>(table, runEmitPacked);
}

} // namespace attune::mha::interpreter
