//===- InterpreterTileMemory.cpp - Packing, loading and looking at masks --===//
#include "dialect/InterpreterTile.h"

#include "dialect/Mha.h"
#include "schedules/CpuSchedule.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attune::mha::interpreter {

llvm::Expected<Window> windowAt(Operation *op, const Array &array, ArrayRef<int64_t> indices,
                                Extent extent) {
  const size_t rank = indices.size();
  if (rank < 2)
    return fail(op, "needs a memref of at least two dimensions");
  std::vector<int64_t> extents(rank, 1);
  extents[rank - 2] = extent.rows;
  extents[rank - 1] = extent.columns;
  auto position = checkWindow(op, array, indices, extents);
  if (!position)
    return position.takeError();
  return Window{array.storage, *position, array.strides[rank - 2], array.strides[rank - 1]};
}

namespace {
//===--- Padding masks -----------------------------------------------------===//

/// Which of `count` keys a padding mask leaves visible, from `indices` on along its last dimension.
llvm::Expected<std::vector<bool>> visibleKeys(Interpreter &interpreter, Operation *op,
                                              Value padding, ValueRange indices, int64_t count) {
  const Array &array = interpreter.array(padding);
  const std::vector<int64_t> from = interpreter.integers(indices);
  if (from.empty())
    return fail(op, "needs a padding mask of at least one dimension");
  std::vector<int64_t> extents(from.size(), 1);
  extents.back() = count;
  auto position = checkWindow(op, array, from, extents);
  if (!position)
    return position.takeError();
  const bool isInteger = cast<MemRefType>(padding.getType()).getElementType().isInteger();
  std::vector<bool> visible;
  for (int64_t k = 0; k < count; ++k) {
    const double element = (*array.storage)[*position + k * array.strides.back()];
    visible.push_back(isInteger ? element == 0 : element != minusInfinity);
  }
  return visible;
}

llvm::Error runKeyRange(Interpreter &interpreter, KeyRangeOp op) {
  const int64_t count = interpreter.integer(op.getCount());
  if (llvm::Error error =
          checkCount(op, "count", count, interpreter.array(op.getPadding()).shape.back()))
    return error;
  auto visible = visibleKeys(interpreter, op, op.getPadding(), op.getIndices(), count);
  if (!visible)
    return visible.takeError();
  const Array target = interpreter.array(op.getTarget());
  const std::vector<int64_t> to = interpreter.integers(op.getTargetIndices());
  if (to.empty() || !holdsPairs(op.getTarget().getType()))
    return fail(op, "needs a target of i32 with at least one dimension");
  std::vector<int64_t> extents(to.size(), 1);
  extents.back() = 2;
  auto position = checkWindow(op, target, to, extents);
  if (!position)
    return position.takeError();
  int64_t first = 0, end = 0;
  for (int64_t k = 0; k < count; ++k)
    if ((*visible)[k]) {
      first = end == 0 ? k : first;
      end = k + 1;
    }
  (*target.storage)[*position] = static_cast<double>(first);
  (*target.storage)[*position + target.strides.back()] = static_cast<double>(end);
  return llvm::Error::success();
}

/// Looks at what was loaded alone.
llvm::Error runClassify(Interpreter &interpreter, ClassifyOp op) {
  if (!op.getMask().getType().getElementType().isInteger())
    return fail(op, "needs a tile of a bool mask");
  const Tile &mask = interpreter.get<Tile>(op.getMask());
  bool some = false, all = true;
  for (int64_t row = 0; row < mask.count; ++row)
    for (int64_t column = 0; column < mask.columnCount; ++column) {
      const bool visible = mask.row(row)[column] == 0;
      some = some || visible;
      all = all && visible;
    }
  interpreter.set(op.getSomeVisible(), Scalar{some ? -1 : 0});
  interpreter.set(op.getAllVisible(), Scalar{all ? -1 : 0});
  return llvm::Error::success();
}

//===--- Writing memory ----------------------------------------------------===//

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
  // In pairs, one of the two dimensions of the target counts half: that of the depth.
  const bool pairs = holdsPairs(op.getTarget().getType());
  const Extent whole = extentFrom(target, to);
  const Extent extent = {whole.rows * (pairs ? 2 : 1), whole.columns};
  if (llvm::Error error = checkCount(op, "count", count, panel ? extent.columns : extent.rows))
    return error;
  std::vector<bool> visible(count, true);
  if (op.getPadding()) {
    if (panel)
      return fail(op, "takes padding for rows alone");
    auto keys = visibleKeys(interpreter, op, op.getPadding(), op.getPaddingIndices(), count);
    if (!keys)
      return keys.takeError();
    visible = *keys;
  }
  // A panel takes as many columns as it is deep; rows take what the source has.
  const int64_t available = extentFrom(source, from).columns;
  const int64_t columns =
      panel && !pairs ? extent.rows : std::min(available, panel ? extent.rows : extent.columns);
  auto read = windowAt(op, source, from, {count, columns});
  if (!read)
    return read.takeError();
  // What is written: transposed panels, or rows, of which those in pairs end with whole tiles.
  const int64_t depth = panel ? extent.rows
                        : pairs
                            ? std::min(llvm::alignTo(count, pairTileDepth), uint64_t(extent.rows))
                            : count;
  auto written = windowAt(op, target, to, {pairs ? depth / 2 : depth, extent.columns});
  if (!written)
    return written.takeError();
  auto element = [&](int64_t row, int64_t column) {
    const bool copies = row < count && column < columns && visible[row];
    return copies ? interpreter.rounded(read->at(row, column)) : 0;
  };
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t c = 0; c < extent.columns; ++c) {
      const double value = panel ? element(c, k) : element(k, c);
      double &place = written->at(pairs ? k / 2 : k, c);
      if (!pairs)
        place = value;
      else
        place = k % 2 == 0 ? pairOf(value, 0) : pairOf(elementOfPair(place, 0), value);
    }
  return llvm::Error::success();
}

/// The bits stay.
llvm::Error runAsPairs(Interpreter &interpreter, AsPairsOp op) {
  interpreter.set(op.getPairs(), View(interpreter.get<View>(op.getFloats())));
  return llvm::Error::success();
}

llvm::Error runClear(Interpreter &interpreter, ClearOp op) {
  const Array &target = interpreter.array(op.getTarget());
  const MemRefType type = op.getTarget().getType();
  if (!type.hasStaticShape())
    return fail(op, "needs a memref of static shape");
  int64_t dense = 1;
  for (int64_t k = target.rank() - 1; k >= 0; dense *= target.shape[k--])
    if (target.shape[k] != 1 && target.strides[k] != dense)
      return fail(op, "needs a dense memref");
  std::fill_n(target.storage->begin() + target.offset, target.elements(), 0.0);
  return llvm::Error::success();
}

//===--- Loading tiles -----------------------------------------------------===//

/// Reads rows that lie transposed in panels: (panel, column, row % width).
llvm::Error loadPanels(LoadOp op, const Array &source, ArrayRef<int64_t> indices, Tile &tile) {
  const size_t last = indices.size() - 1;
  tile.panelWidth = source.shape[last] - indices[last];
  if (tile.panelWidth < 1)
    return fail(op, "starts beyond its panels");
  const bool pairs = holdsPairs(op.getSource().getType());
  std::vector<int64_t> extents(indices.size(), 1);
  extents[last - 2] = llvm::divideCeilSigned(tile.count, tile.panelWidth);
  extents[last - 1] = pairs ? llvm::divideCeilSigned(tile.columnCount, 2) : tile.columnCount;
  extents[last] = std::min(tile.count, tile.panelWidth);
  auto position = checkWindow(op, source, indices, extents);
  if (!position)
    return position.takeError();
  for (int64_t row = 0; row < tile.count; ++row)
    for (int64_t column = 0; column < tile.columnCount; ++column) {
      const double value =
          (*source.storage)[*position + row / tile.panelWidth * source.strides[last - 2] +
                            (pairs ? column / 2 : column) * source.strides[last - 1] +
                            row % tile.panelWidth * source.strides[last]];
      tile.row(row)[column] = pairs ? elementOfPair(value, column) : value;
    }
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
    const bool pairs = holdsPairs(op.getSource().getType());
    auto window =
        windowAt(op, source, indices,
                 {pairs ? llvm::divideCeilSigned(tile.count, 2) : tile.count, tile.columnCount});
    if (!window)
      return window.takeError();
    for (int64_t row = 0; row < tile.count; ++row)
      for (int64_t column = 0; column < tile.columnCount; ++column)
        tile.row(row)[column] =
            pairs ? elementOfPair(window->at(row / 2, column), row) : window->at(row, column);
  }
  interpreter.round(*tile.values);
  interpreter.set(op.getTile(), std::move(tile));
  return llvm::Error::success();
}

//===--- Workers -----------------------------------------------------------===//

llvm::Error runWorker(Interpreter &interpreter, WorkerOp op) {
  interpreter.set(op.getResult(), Scalar{0});
  return llvm::Error::success();
}

/// One: iterations run one after the other.
llvm::Error runWorkers(Interpreter &interpreter, WorkersOp op) {
  interpreter.set(op.getResult(), Scalar{1});
  return llvm::Error::success();
}
} // namespace

void addTileMemoryHandlers(HandlerTable &table) {
  add<KeyRangeOp>(table, runKeyRange);
  add<ClassifyOp>(table, runClassify);
  add<PackOp>(table, runPack);
  add<AsPairsOp>(table, runAsPairs);
  add<ClearOp>(table, runClear);
  add<LoadOp>(table, runLoad);
  add<WorkerOp>(table, runWorker);
  add<WorkersOp>(table, runWorkers);
}

} // namespace attune::mha::interpreter
