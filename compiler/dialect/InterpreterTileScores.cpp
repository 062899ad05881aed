//===- InterpreterTileScores.cpp - Scores of tiles and their softmax ------===//
#include "dialect/InterpreterTile.h"

#include "dialect/Mha.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;

namespace attune::mha::interpreter {

namespace {
/// The regions of one mha.scores or mha.logits on one element after the other.
class ScoreRegions {
public:
  template <typename Op>
  ScoreRegions(Interpreter &interpreter, Op op)
      : first{interpreter.integer(op.getBatch()), interpreter.integer(op.getHead()),
              interpreter.integer(op.getFirstQuery()), interpreter.integer(op.getFirstKey())} {
    for (Value value : op.getTiles()) {
      tiles.push_back(interpreter.get<Tile>(value));
      kinds.emplace_back(cast<TileType>(value.getType()).getElementType(), interpreter.options);
    }
  }

  template <typename Op> llvm::Error compile(Interpreter &interpreter, Op op) {
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

private:
  void setArguments(MutableArrayRef<Scalar> arguments, int64_t i, int64_t j) {
    const int64_t point[] = {first[0], first[1], first[2] + i, first[3] + j};
    for (unsigned k = 0; k < 4; ++k)
      arguments[k].integer = point[k];
    for (size_t k = 0; k < tiles.size(); ++k)
      arguments[4 + k] = kinds[k].toScalar(tiles[k].row(tiles[k].rows == 1 ? 0 : i)[j]);
  }

  int64_t first[4]; ///< b, h and the first i and j
  std::vector<Tile> tiles;
  std::vector<ElementKind> kinds;
  RegionPlan *score = nullptr, *keep = nullptr;
};

/// Scores (rows x columns, row-major) of the `rows` queries that count. The columns beyond `keys`
/// are those that generated code visits to fill whole panels; they hold -inf.
struct Scores {
  int64_t rows = 0, columns = 0, keys = 0;
  std::vector<double> values;

  MutableArrayRef<double> row(int64_t index) {
    return MutableArrayRef(values).slice(index * columns, columns);
  }
};

/// Checks the operands of mha.scores or mha.logits.
template <typename Op> llvm::Error checkScoring(Interpreter &interpreter, Op op) {
  const Tile &query = interpreter.get<Tile>(op.getQuery()),
             &key = interpreter.get<Tile>(op.getKey());
  if (llvm::Error error = checkCount(op, "count", interpreter.integer(op.getCount()), query.rows))
    return error;
  if (llvm::Error error = checkCount(op, "columns", interpreter.integer(op.getColumns()), key.rows))
    return error;
  if (static_cast<int64_t>(interpreter.get<Stats>(op.getStats()).sum.size()) != query.rows)
    return fail(op, "has statistics for another number of rows");
  for (Value value : op.getTiles())
    if (const Tile &tile = interpreter.get<Tile>(value);
        (tile.rows != 1 && tile.rows < query.rows) || tile.columns < key.rows)
      return fail(op, "has a tile operand smaller than its scores");
  return llvm::Error::success();
}

/// score(scale * q . k^T), -inf where keep is false. Beyond `columns` keep must be false up to the
/// end of the panel.
template <typename Op> llvm::Expected<Scores> scoreTile(Interpreter &interpreter, Op op) {
  if (llvm::Error error = checkScoring(interpreter, op))
    return std::move(error);
  const Tile query = interpreter.get<Tile>(op.getQuery()), key = interpreter.get<Tile>(op.getKey());
  ScoreRegions regions(interpreter, op);
  if (llvm::Error error = regions.compile(interpreter, op))
    return std::move(error);
  Scores scores;
  scores.rows = interpreter.integer(op.getCount());
  scores.keys = interpreter.integer(op.getColumns());
  const int64_t panel = std::max<int64_t>(key.panelWidth, 1);
  scores.columns = std::min(llvm::divideCeilSigned(scores.keys, panel) * panel, key.rows);
  scores.values.assign(scores.rows * scores.columns, minusInfinity);
  std::vector<double> products(scores.rows * scores.keys);
  multiply(scores.rows, scores.keys, query.columns, {query.values->data(), query.columns, 1},
           {key.values->data(), 1, key.columns}, products.data(), interpreter.options);
  const double scale = interpreter.rounded(op.getScale().convertToDouble());
  for (int64_t i = 0; i < scores.rows; ++i)
    for (int64_t j = 0; j < scores.columns; ++j) {
      bool kept;
      if (llvm::Error error = regions.runKeep(i, j, kept))
        return std::move(error);
      if (kept && j >= scores.keys)
        return fail(op, "keeps column " + llvm::Twine(j) + " of row " + llvm::Twine(i) +
                            ", beyond its " + llvm::Twine(scores.keys) + " columns");
      if (j >= scores.keys)
        continue;
      double s = interpreter.rounded(products[i * scores.keys + j] * scale);
      if (llvm::Error error = regions.runScore(i, j, s))
        return std::move(error);
      if (kept)
        scores.row(i)[j] = s;
    }
  return scores;
}

/// The larger of a running maximum and a row's; a NaN wins and stays.
double maximumOf(double maximum, ArrayRef<double> row) {
  for (double s : row)
    if (s > maximum || std::isnan(s))
      maximum = s;
  return maximum;
}

/// Turns scores into exp(s - maximum); returns `sum` plus theirs. A hidden key gives 0 by any
/// maximum.
template <typename Real> Real exponentials(MutableArrayRef<double> row, double maximum, Real sum) {
  for (double &value : row) {
    const Real p = value == minusInfinity
                       ? Real(0)
                       : std::exp(static_cast<Real>(value) - static_cast<Real>(maximum));
    sum += p;
    value = p;
  }
  return sum;
}

//===--- The online softmax ------------------------------------------------===//

/// One row of the online softmax: `row` holds scores on entry and probabilities on exit.
template <typename Real>
void softmaxStep(MutableArrayRef<double> row, double &max, double &sum, double &rescale) {
  const double next = maximumOf(max, row);
  // Without any visible key so far there is nothing to rescale.
  const Real factor =
      next == minusInfinity ? Real(1) : std::exp(static_cast<Real>(max) - static_cast<Real>(next));
  sum = exponentials<Real>(row, next, static_cast<Real>(sum) * factor);
  max = next;
  rescale = factor;
}

llvm::Error runScores(Interpreter &interpreter, ScoresOp op) {
  auto scores = scoreTile(interpreter, op);
  if (!scores)
    return scores.takeError();
  Stats stats = interpreter.get<Stats>(op.getStats());
  Tile p = Tile::filled(op.getP().getType(), poison);
  p.count = scores->rows;
  p.columnCount = scores->keys;
  Rows rescale{std::vector<double>(p.rows, poison)};
  for (int64_t i = 0; i < p.count; ++i) {
    MutableArrayRef<double> row = scores->row(i).take_front(p.columnCount);
    (interpreter.options.rounding == Rounding::None
         ? softmaxStep<double>
         : softmaxStep<float>)(row, stats.max[i], stats.sum[i], rescale.values[i]);
    llvm::copy(row, p.row(i));
  }
  interpreter.set(op.getP(), std::move(p));
  interpreter.set(op.getRescale(), std::move(rescale));
  interpreter.set(op.getNewStats(), std::move(stats));
  return llvm::Error::success();
}

//===--- The softmax over whole rows ---------------------------------------===//

llvm::Error runLogits(Interpreter &interpreter, LogitsOp op) {
  auto scores = scoreTile(interpreter, op);
  if (!scores)
    return scores.takeError();
  Stats stats = interpreter.get<Stats>(op.getStats());
  // Rows beyond the count are written as well, with whatever comes.
  const int64_t rows = stats.max.size();
  auto target = windowAt(op, interpreter.array(op.getTarget()),
                         interpreter.integers(op.getIndices()), {rows, scores->columns});
  if (!target)
    return target.takeError();
  for (int64_t i = 0; i < rows; ++i) {
    const bool counts = i < scores->rows;
    if (counts)
      stats.max[i] = maximumOf(stats.max[i], scores->row(i));
    for (int64_t j = 0; j < scores->columns; ++j)
      target->at(i, j) = counts ? scores->row(i)[j] : poison;
  }
  interpreter.set(op.getNewStats(), std::move(stats));
  return llvm::Error::success();
}

/// Where the copy goes that products of pairs read, if there is one.
llvm::Expected<std::optional<Window>> roundedCopy(Interpreter &interpreter, SoftmaxOp op,
                                                  int64_t count, int64_t columns) {
  if (!op.getRounded())
    return std::nullopt;
  return windowAt(op, interpreter.array(op.getRounded()),
                  interpreter.integers(op.getRoundedIndices()), {count, columns});
}

llvm::Error runSoftmax(Interpreter &interpreter, SoftmaxOp op) {
  Stats stats = interpreter.get<Stats>(op.getStats());
  const int64_t count = interpreter.integer(op.getCount());
  const int64_t columns = interpreter.integer(op.getColumns());
  if (llvm::Error error = checkCount(op, "count", count, stats.max.size()))
    return error;
  if (llvm::Error error =
          checkCount(op, "columns", columns, interpreter.array(op.getScores()).shape.back()))
    return error;
  auto window = windowAt(op, interpreter.array(op.getScores()),
                         interpreter.integers(op.getIndices()), {count, columns});
  if (!window)
    return window.takeError();
  auto rounded = roundedCopy(interpreter, op, count, columns);
  if (!rounded)
    return rounded.takeError();
  const double scale = interpreter.rounded(op.getScale().convertToDouble());
  std::vector<double> row(columns);
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < columns; ++j)
      row[j] = interpreter.rounded(window->at(i, j) * scale);
    const double maximum = interpreter.rounded(stats.max[i] * scale);
    stats.sum[i] = interpreter.options.rounding == Rounding::None
                       ? exponentials<double>(row, maximum, 0)
                       : exponentials<float>(row, maximum, 0);
    for (int64_t j = 0; j < columns; ++j) {
      window->at(i, j) = row[j];
      if (*rounded)
        (*rounded)->at(i, j) = row[j];
    }
  }
  interpreter.set(op.getNewStats(), std::move(stats));
  return llvm::Error::success();
}
} // namespace

void addTileScoreHandlers(HandlerTable &table) {
  add<ScoresOp>(table, runScores);
  add<LogitsOp>(table, runLogits);
  add<SoftmaxOp>(table, runSoftmax);
}

} // namespace attune::mha::interpreter
