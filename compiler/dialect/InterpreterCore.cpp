//===- InterpreterCore.cpp - State of a run, control flow and affine ------===//
#include "dialect/InterpreterCore.h"

#include "dialect/Mha.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attune::mha::interpreter {

llvm::Error fail(Operation *op, const llvm::Twine &message) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << op->getName() << " at " << op->getLoc() << ": " << message;
  return llvm::createStringError(text);
}

static uint32_t halfOf(double value) {
  const auto number = static_cast<float>(roundedTo(Rounding::BFloat16, value));
  return llvm::bit_cast<uint32_t>(number) >> 16;
}

double pairOf(double first, double second) { return halfOf(first) | halfOf(second) << 16; }

double elementOfPair(double pair, int64_t position) {
  const auto bits = static_cast<uint32_t>(pair);
  return llvm::bit_cast<float>(position % 2 == 0 ? bits << 16 : bits & 0xffff0000u);
}

std::string describeOutOfRange(ArrayRef<int64_t> indices, ArrayRef<int64_t> extents,
                               const Array &array) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "accesses [";
  llvm::interleaveComma(indices, stream);
  stream << "]";
  if (!extents.empty()) {
    stream << " + [";
    llvm::interleaveComma(extents, stream);
    stream << ")";
  }
  stream << " of an array of shape [";
  llvm::interleaveComma(array.shape, stream);
  stream << "]: out of range";
  return text;
}

Tile Tile::filled(TileType type, double value) {
  Tile tile;
  tile.rows = tile.count = type.getRows();
  tile.columns = tile.columnCount = type.getColumns();
  tile.values = std::make_shared<std::vector<double>>(tile.rows * tile.columns, value);
  return tile;
}

std::vector<int64_t> Interpreter::integers(ValueRange range) {
  std::vector<int64_t> result;
  for (Value value : range)
    result.push_back(integer(value));
  return result;
}

std::vector<int64_t> Interpreter::integers(ArrayRef<OpFoldResult> mixed) {
  std::vector<int64_t> result;
  for (OpFoldResult entry : mixed)
    result.push_back(isa<Attribute>(entry)
                         ? cast<IntegerAttr>(cast<Attribute>(entry)).getValue().getSExtValue()
                         : integer(cast<Value>(entry)));
  return result;
}

void Interpreter::round(std::vector<double> &stored) const {
  if (options.rounding != Rounding::None)
    for (double &value : stored)
      value = rounded(value);
}

llvm::Expected<RegionPlan *> Interpreter::plan(Region &region, std::optional<Lengths> lengths) {
  if (region.empty())
    return nullptr;
  std::unique_ptr<RegionPlan> &known = plans[&region];
  if (!known) {
    llvm::Expected<RegionPlan> compiled = RegionPlan::compile(region, options);
    if (!compiled)
      return compiled.takeError();
    known = std::make_unique<RegionPlan>(std::move(*compiled));
  }
  known->bind([&](Value value) { return get<Scalar>(value); },
              [&](Value value) { return get<View>(value).array; });
  if (llvm::Error error = known->bindLengths(lengths))
    return std::move(error);
  return known.get();
}

static const HandlerTable &handlers() {
  static const HandlerTable table = [] {
    HandlerTable made;
    addControlHandlers(made);
    addMemoryHandlers(made);
    addAttentionHandlers(made);
    addGraphHandlers(made);
    addTileMemoryHandlers(made);
    addTileScoreHandlers(made);
    addTileResultHandlers(made);
    return made;
  }();
  return table;
}

/// Runs an operation of arith or math.
static llvm::Error runScalar(Interpreter &interpreter, Operation &op) {
  if (auto constant = constantScalar(&op, interpreter.options)) {
    interpreter.set(op.getResult(0), *constant);
    return llvm::Error::success();
  }
  auto instruction = translateScalar(&op, interpreter.options);
  if (!instruction)
    return fail(&op, "is not supported by the interpreter");
  Scalar operands[maxScalarOperands], result;
  for (auto [index, operand] : llvm::enumerate(op.getOperands()))
    operands[index] = interpreter.get<Scalar>(operand);
  if (!run(*instruction, operands, result))
    return fail(&op, "divides by zero");
  interpreter.set(op.getResult(0), result);
  return llvm::Error::success();
}

llvm::Error Interpreter::runBlock(Block &block) {
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      break;
    auto handler = handlers().find(op.getName().getStringRef());
    llvm::Error error =
        handler == handlers().end() ? runScalar(*this, op) : handler->second(*this, &op);
    if (error)
      return error;
  }
  return llvm::Error::success();
}

llvm::Expected<int64_t> checkWindow(Operation *op, const Array &array, ArrayRef<int64_t> indices,
                                    ArrayRef<int64_t> extents) {
  if (indices.size() != array.shape.size())
    return fail(op, "takes one index a dimension");
  if (llvm::is_contained(extents, 0))
    return array.offset;
  bool inside = true;
  for (auto [index, extent, size] : llvm::zip(indices, extents, array.shape))
    inside = inside && index >= 0 && extent > 0 && extent <= size && index <= size - extent;
  if (!inside)
    return fail(op, describeOutOfRange(indices, extents, array));
  int64_t low = array.position(indices), high = low;
  for (auto [extent, stride] : llvm::zip(extents, array.strides))
    (stride < 0 ? low : high) += (extent - 1) * stride;
  if (low < 0 || high >= static_cast<int64_t>(array.storage->size()))
    return fail(op, describeOutOfRange(indices, extents, array));
  return array.position(indices);
}

llvm::Error checkCount(Operation *op, StringRef name, int64_t value, int64_t limit) {
  if (value >= 0 && value <= limit)
    return llvm::Error::success();
  return fail(op, name + " is " + llvm::Twine(value) + ", not between 0 and " + llvm::Twine(limit));
}

template <typename Real>
static void multiplyAs(int64_t rows, int64_t columns, int64_t depth, Matrix a, Matrix b,
                       double *c) {
  // Blocks of columns are copied together, so that the sums of a block stay in registers and the
  // compiler makes vectors of them without a change of order.
  constexpr int64_t width = 8;
  std::vector<Real> panel(depth * width);
  for (int64_t first = 0; first < columns; first += width) {
    const int64_t count = std::min(width, columns - first);
    for (int64_t column = 0; column < count; ++column) {
      const double *source = b.data + (first + column) * b.columnStride;
      for (int64_t k = 0; k < depth; ++k)
        panel[k * width + column] = static_cast<Real>(source[k * b.rowStride]);
    }
    for (int64_t row = 0; row < rows; ++row) {
      const double *x = a.data + row * a.rowStride;
      double *target = c + row * columns + first;
      Real sums[width] = {};
      std::copy_n(target, count, sums);
      for (int64_t k = 0; k < depth; ++k) {
        const Real factor = static_cast<Real>(x[k * a.columnStride]);
        for (int64_t column = 0; column < width; ++column)
          sums[column] += factor * panel[k * width + column];
      }
      std::copy_n(sums, count, target);
    }
  }
}

void multiply(int64_t rows, int64_t columns, int64_t depth, Matrix a, Matrix b, double *c,
              const InterpreterOptions &options) {
  if (options.rounding == Rounding::None)
    multiplyAs<double>(rows, columns, depth, a, b, c);
  else
    multiplyAs<float>(rows, columns, depth, a, b, c);
}

/// The value of an affine expression; nullopt for a division by zero.
static std::optional<int64_t> evaluate(AffineExpr expression, ArrayRef<int64_t> operands,
                                       unsigned dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    return operands[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expression))
    return operands[dims + symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expression);
  auto lhs = evaluate(binary.getLHS(), operands, dims);
  auto rhs = evaluate(binary.getRHS(), operands, dims);
  if (!lhs || !rhs)
    return std::nullopt;
  if (binary.getKind() == AffineExprKind::Add)
    return *lhs + *rhs;
  if (binary.getKind() == AffineExprKind::Mul)
    return *lhs * *rhs;
  if (*rhs <= 0) // affine defines division by positive numbers alone
    return std::nullopt;
  if (binary.getKind() == AffineExprKind::FloorDiv)
    return llvm::divideFloorSigned(*lhs, *rhs);
  if (binary.getKind() == AffineExprKind::CeilDiv)
    return llvm::divideCeilSigned(*lhs, *rhs);
  return llvm::mod(*lhs, *rhs);
}

/// affine.apply, affine.min and affine.max: the best result of the map.
template <typename Op> static llvm::Error runAffine(Interpreter &interpreter, Op op) {
  AffineMap map = op.getMap();
  std::vector<int64_t> operands = interpreter.integers(op.getOperands());
  std::optional<int64_t> best;
  for (AffineExpr expression : map.getResults()) {
    auto value = evaluate(expression, operands, map.getNumDims());
    if (!value)
      return fail(op, "divides by a number that is not positive");
    const bool takes = std::is_same_v<Op, affine::AffineMaxOp> ? value > best : value < best;
    if (!best || takes)
      best = value;
  }
  interpreter.set(op.getResult(), Scalar{*best});
  return llvm::Error::success();
}

static llvm::Error runFor(Interpreter &interpreter, scf::ForOp op) {
  const int64_t upper = interpreter.integer(op.getUpperBound());
  const int64_t step = interpreter.integer(op.getStep());
  if (step <= 0)
    return fail(op, "has step " + llvm::Twine(step));
  std::vector<RuntimeValue> carried;
  for (Value initial : op.getInitArgs())
    carried.push_back(interpreter.get(initial));
  for (int64_t at = interpreter.integer(op.getLowerBound()); at < upper; at += step) {
    interpreter.set(op.getInductionVar(), Scalar{at});
    for (auto [argument, value] : llvm::zip(op.getRegionIterArgs(), carried))
      interpreter.set(argument, value);
    if (llvm::Error error = interpreter.runBlock(*op.getBody()))
      return error;
    for (auto [value, yielded] : llvm::zip(carried, op.getYieldedValues()))
      value = interpreter.get(yielded);
  }
  for (auto [result, value] : llvm::zip(op.getResults(), carried))
    interpreter.set(result, value);
  return llvm::Error::success();
}

static llvm::Error runIf(Interpreter &interpreter, scf::IfOp op) {
  Region &region =
      interpreter.integer(op.getCondition()) != 0 ? op.getThenRegion() : op.getElseRegion();
  if (region.empty())
    return llvm::Error::success();
  if (llvm::Error error = interpreter.runBlock(region.front()))
    return error;
  for (auto [result, value] :
       llvm::zip(op.getResults(), region.front().getTerminator()->getOperands()))
    interpreter.set(result, RuntimeValue(interpreter.get(value)));
  return llvm::Error::success();
}

/// Runs the points in row-major order.
static llvm::Error runForall(Interpreter &interpreter, scf::ForallOp op) {
  if (op.getNumResults() != 0)
    return fail(op, "with shared outputs is not supported by the interpreter");
  const std::vector<int64_t> lower = interpreter.integers(op.getMixedLowerBound());
  const std::vector<int64_t> upper = interpreter.integers(op.getMixedUpperBound());
  const std::vector<int64_t> step = interpreter.integers(op.getMixedStep());
  std::vector<int64_t> point = lower;
  for (size_t k = 0; k < point.size(); ++k) {
    if (step[k] <= 0)
      return fail(op, "has step " + llvm::Twine(step[k]));
    if (lower[k] >= upper[k])
      return llvm::Error::success();
  }
  while (true) {
    for (auto [variable, at] : llvm::zip(op.getInductionVars(), point))
      interpreter.set(variable, Scalar{at});
    if (llvm::Error error = interpreter.runBlock(*op.getBody()))
      return error;
    int64_t k = static_cast<int64_t>(point.size()) - 1;
    for (; k >= 0 && (point[k] += step[k]) >= upper[k]; --k)
      point[k] = lower[k];
    if (k < 0)
      return llvm::Error::success();
  }
}

void addControlHandlers(HandlerTable &table) {
  add<affine::AffineApplyOp>(table, runAffine);
  add<affine::AffineMinOp>(table, runAffine);
  add<affine::AffineMaxOp>(table, runAffine);
  add<scf::ForOp>(table, runFor);
  add<scf::IfOp>(table, runIf);
  add<scf::ForallOp>(table, runForall);
}

} // namespace attune::mha::interpreter
