//===- InterpreterCore.h - State of a run and its operations ----*- C++ -*-===//
#ifndef ATTUNE_DIALECT_INTERPRETERCORE_H
#define ATTUNE_DIALECT_INTERPRETERCORE_H

#include "dialect/InterpreterRegion.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"
#include <functional>
#include <limits>

namespace attune::mha {
class TileType;
} // namespace attune::mha

namespace attune::mha::interpreter {

/// What undefined elements hold.
inline constexpr double poison = std::numeric_limits<double>::quiet_NaN();
/// The score of a key that is not seen.
inline constexpr double minusInfinity = -std::numeric_limits<double>::infinity();

/// A tensor, or a memref and where its base pointer points.
struct View {
  Array array;
  int64_t base = 0;
};

/// A tile, row-major. Rows at or beyond `count` and columns at or beyond `columnCount` are poison.
struct Tile {
  int64_t rows = 0, columns = 0, count = 0, columnCount = 0;
  int64_t panelWidth = 0; ///< rows of one panel in memory; 0: not a panel tile
  std::shared_ptr<std::vector<double>> values;

  static Tile filled(TileType type, double value);
  double *row(int64_t index) const { return values->data() + index * columns; }
};

/// One number a row.
struct Rows {
  std::vector<double> values;
};

struct Stats {
  std::vector<double> max, sum;
};

using RuntimeValue = std::variant<Scalar, View, Tile, Rows, Stats>;

/// An error that names the operation and its location.
llvm::Error fail(mlir::Operation *op, const llvm::Twine &message);

/// What is wrong with a window of `extents` elements (or one element) at `indices`.
std::string describeOutOfRange(llvm::ArrayRef<int64_t> indices, llvm::ArrayRef<int64_t> extents,
                               const Array &array);

/// Two bfloat16 numbers as the i32 that stands for them, the first in the lower half.
double pairOf(double first, double second);
/// The number at an even or odd position of a pair.
double elementOfPair(double pair, int64_t position);

class Interpreter;
using Handler = std::function<llvm::Error(Interpreter &, mlir::Operation *)>;
using HandlerTable = llvm::StringMap<Handler>;

/// One run of a function: the values of its SSA values. The function has been verified, so that a
/// value holds what its type says.
class Interpreter {
public:
  explicit Interpreter(const InterpreterOptions &options) : options(options) {}

  /// Runs the block's operations up to its terminator.
  llvm::Error runBlock(mlir::Block &block);

  void set(mlir::Value value, RuntimeValue runtimeValue) {
    values[value] = std::move(runtimeValue);
  }
  const RuntimeValue &get(mlir::Value value) { return values[value]; }
  template <typename T> const T &get(mlir::Value value) { return std::get<T>(values[value]); }
  const Array &array(mlir::Value value) { return get<View>(value).array; }
  int64_t integer(mlir::Value value) { return get<Scalar>(value).integer; }
  std::vector<int64_t> integers(mlir::ValueRange range);
  std::vector<int64_t> integers(llvm::ArrayRef<mlir::OpFoldResult> mixed);

  /// The plan of a region with its outside values bound; null for an empty region. Without
  /// `lengths` the region may not ask for them.
  llvm::Expected<RegionPlan *> plan(mlir::Region &region, std::optional<Lengths> lengths = {});

  /// Rounds what is about to be stored, if the options say so.
  void round(std::vector<double> &stored) const;
  double rounded(double value) const { return roundedTo(options.rounding, value); }

  const InterpreterOptions options;

private:
  llvm::DenseMap<mlir::Value, RuntimeValue> values;
  llvm::DenseMap<mlir::Region *, std::unique_ptr<RegionPlan>> plans;
};

/// Checks that a window of `extents` lies in shape and storage; returns the position of its first
/// element. An empty window lies everywhere.
llvm::Expected<int64_t> checkWindow(mlir::Operation *op, const Array &array,
                                    llvm::ArrayRef<int64_t> indices,
                                    llvm::ArrayRef<int64_t> extents);

/// Checks that `value` is in [0, limit].
llvm::Error checkCount(mlir::Operation *op, llvm::StringRef name, int64_t value, int64_t limit);

/// A matrix somewhere in memory.
struct Matrix {
  const double *data;
  int64_t rowStride, columnStride;
};

/// c (rows x columns, row-major) += a (rows x depth) . b (depth x columns). Every element is summed
/// in the order of the depth, in float32 when `options` say so.
void multiply(int64_t rows, int64_t columns, int64_t depth, Matrix a, Matrix b, double *c,
              const InterpreterOptions &options);

template <typename Op> void add(HandlerTable &table, llvm::Error (*handler)(Interpreter &, Op)) {
  table[Op::getOperationName()] = [handler](Interpreter &interpreter, mlir::Operation *op) {
    return handler(interpreter, mlir::cast<Op>(op));
  };
}

void addControlHandlers(HandlerTable &table);
void addMemoryHandlers(HandlerTable &table);
void addAttentionHandlers(HandlerTable &table);
void addGraphHandlers(HandlerTable &table);
void addTileMemoryHandlers(HandlerTable &table);
void addTileScoreHandlers(HandlerTable &table);
void addTileResultHandlers(HandlerTable &table);

} // namespace attune::mha::interpreter

#endif
