//===- InterpreterGraph.cpp - Operations on whole tensors -----------------===//
#include "dialect/InterpreterAttention.h"

#include "dialect/Mha.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;

namespace attune::mha::interpreter {

namespace {
ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

//===--- Projections -------------------------------------------------------===//

/// x . weight[first .. first + columns)^T + bias[biasFirst .. biasFirst + columns), with a weight
/// (rows, K) or packed panels. The bias may be null.
struct Projection {
  Array x, weight;
  const Array *bias;
  int64_t first, biasFirst, columns;
};

llvm::Expected<Array> project(Interpreter &interpreter, Operation *op,
                              const Projection &projection) {
  const Array x = projection.x.dense(), w = projection.weight.dense();
  const Array *bias = projection.bias;
  const int64_t first = projection.first, columns = projection.columns, depth = w.shape[1];
  if (x.rank() < 1 || x.shape.back() != depth)
    return fail(op, "has an operand whose last size is not the weight's depth");
  // Columns of one panel; a weight that is not packed is one panel with its strides swapped.
  const bool isPacked = w.rank() == 3;
  const int64_t width = isPacked ? w.shape[2] : w.shape[0];
  if (first < 0 || columns < 0 || first + columns > (isPacked ? w.shape[0] * width : width))
    return fail(op, "takes columns outside its weight");
  int64_t rows = 1;
  for (int64_t size : ArrayRef(x.shape).drop_back())
    rows *= size;
  Array result = x;
  result.shape.back() = columns;
  result = Array::filled(result.shape);
  for (int64_t panel = 0; panel * width < columns; ++panel) {
    const int64_t count = std::min(width, columns - panel * width);
    const double *data = w.storage->data();
    Matrix b = isPacked ? Matrix{data + panel * depth * width, width, 1}
                        : Matrix{data + first * depth, 1, depth};
    std::vector<double> product(rows * count);
    multiply(rows, count, depth, {x.storage->data(), depth, 1}, b, product.data(),
             interpreter.options);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < count; ++column)
        (*result.storage)[row * columns + panel * width + column] = product[row * count + column];
  }
  if (bias) {
    if (bias->rank() != 1 || projection.biasFirst < 0 ||
        projection.biasFirst + columns > bias->shape[0])
      return fail(op, "takes elements outside its bias");
    const Array addend = bias->dense();
    for (int64_t k = 0; k < rows * columns; ++k)
      (*result.storage)[k] += (*addend.storage)[projection.biasFirst + k % columns];
  }
  interpreter.round(*result.storage);
  return result;
}

/// The weight of packed pairs (panels, pairs, width) as (panels, depth, width).
Array unpackedPairs(const Array &pairs, int64_t depth) {
  Array weight = Array::filled({pairs.shape[0], depth, pairs.shape[2]});
  for (int64_t panel = 0; panel < weight.shape[0]; ++panel)
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t c = 0; c < weight.shape[2]; ++c)
        (*weight.storage)[weight.position({panel, k, c})] =
            elementOfPair((*pairs.storage)[pairs.position({panel, k / 2, c})], k);
  return weight;
}

llvm::Error runProject(Interpreter &interpreter, ProjectOp op) {
  const Array *bias = op.getBias() ? &interpreter.array(op.getBias()) : nullptr;
  const Array x = interpreter.array(op.getX());
  Array weight = interpreter.array(op.getWeight());
  if (holdsPairs(op.getWeight().getType()))
    weight = unpackedPairs(weight, x.shape.back());
  auto result = project(
      interpreter, op,
      {x, weight, bias, static_cast<int64_t>(op.getFirst()), op.getBiasStart(), op.getColumns()});
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}

llvm::Error runPackWeight(Interpreter &interpreter, PackWeightOp op) {
  const Array weight = interpreter.array(op.getWeight());
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  const int64_t first = op.getFirst(), columns = op.getColumns();
  const bool pairs = holdsPairs(op.getResult().getType());
  const int64_t depth = weight.shape.back();
  if (weight.rank() != 2 || shape.size() != 3 || shape[2] < 1 ||
      (pairs ? shape[1] * 2 < depth : shape[1] != depth) ||
      shape[0] != llvm::divideCeilSigned(columns, shape[2]))
    return fail(op, "does not pack its weight into panels (ceil(columns / width), K, width)");
  if (first < 0 || columns < 0 || first + columns > weight.shape[0])
    return fail(op, "takes rows outside its weight");
  Array packed = Array::filled(shape);
  const Array source = weight.dense();
  for (int64_t column = 0; column < columns; ++column)
    for (int64_t k = 0; k < depth; ++k) {
      const double value = interpreter.rounded((*source.storage)[(first + column) * depth + k]);
      double &place = (*packed.storage)[packed.position(
          {column / shape[2], pairs ? k / 2 : k, column % shape[2]})];
      if (!pairs)
        place = value;
      else
        place = k % 2 == 0 ? pairOf(value, 0) : pairOf(elementOfPair(place, 0), value);
    }
  interpreter.set(op.getResult(), View{packed});
  return llvm::Error::success();
}

llvm::Error runPackBias(Interpreter &interpreter, PackBiasOp op) {
  const Array bias = interpreter.array(op.getBias());
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  const int64_t first = op.getFirst(), columns = op.getColumns();
  if (bias.rank() != 1 || shape.size() != 1 || columns < 0 || shape[0] < columns)
    return fail(op, "does not pack its bias into a padded vector");
  if (first < 0 || first + columns > bias.shape[0])
    return fail(op, "takes elements outside its bias");
  Array packed = Array::filled(shape);
  const Array source = bias.dense();
  std::copy_n(source.storage->begin() + first, columns, packed.storage->begin());
  interpreter.round(*packed.storage);
  interpreter.set(op.getResult(), View{packed});
  return llvm::Error::success();
}

//===--- Views as heads ----------------------------------------------------===//

int64_t rankOf(Order order) { return order == Order::NHLD ? 4 : order == Order::LE ? 2 : 3; }

/// Columns [first, first + heads * headDim) of an interface tensor as (N, H, L, D).
llvm::Expected<Array> splitHeads(Operation *op, const Array &x, Order order, int64_t first,
                                 int64_t heads, int64_t headDim) {
  if (x.rank() != rankOf(order))
    return fail(op, "takes a tensor whose rank is not that of its order");
  const bool hasHeads = order == Order::NHLD || order == Order::HLD;
  if (hasHeads ? first != 0 || x.shape[x.rank() - 3] != heads || x.shape.back() != headDim
               : first < 0 || first + heads * headDim > x.shape.back())
    return fail(op, "takes columns outside its tensor");
  if (order == Order::NHLD)
    return x;
  const auto &size = x.shape, &stride = x.strides;
  if (order == Order::HLD)
    return Array{
        {1, heads, size[1], headDim}, {0, stride[0], stride[1], stride[2]}, x.offset, x.storage};
  const int64_t column = stride.back(), offset = x.offset + first * column;
  if (order == Order::LE)
    return Array{
        {1, heads, size[0], headDim}, {0, headDim * column, stride[0], column}, offset, x.storage};
  const int64_t batch = order == Order::NLE ? 0 : 1, length = 1 - batch;
  return Array{{size[batch], heads, size[length], headDim},
               {stride[batch], headDim * column, stride[length], column},
               offset,
               x.storage};
}

llvm::Error runSplitHeads(Interpreter &interpreter, SplitHeadsOp op) {
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  if (shape.size() != 4 || ShapedType::isDynamic(shape[1]) || ShapedType::isDynamic(shape[3]))
    return fail(op, "must have a result of rank 4 with static H and D");
  auto result = splitHeads(op, interpreter.array(op.getX()), op.getOrder(), op.getFirst(), shape[1],
                           shape[3]);
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}

/// (N, H, L, D) to an interface tensor: fills one and writes through its view as heads.
llvm::Expected<Array> mergeHeads(Operation *op, const Array &heads, Order order) {
  if (heads.rank() != 4)
    return fail(op, "must have an operand of rank 4");
  const int64_t n = heads.shape[0], h = heads.shape[1], l = heads.shape[2], d = heads.shape[3];
  if ((order == Order::LE || order == Order::HLD) && n != 1)
    return fail(op, "has a batch but an unbatched order");
  std::vector<int64_t> shape = {n, h, l, d};
  if (order == Order::HLD)
    shape = {h, l, d};
  else if (order == Order::LE)
    shape = {l, h * d};
  else if (order == Order::NLE)
    shape = {n, l, h * d};
  else if (order == Order::LNE)
    shape = {l, n, h * d};
  Array result = Array::filled(shape);
  auto view = splitHeads(op, result, order, 0, h, d);
  if (!view)
    return view.takeError();
  for (int64_t b = 0; b < n; ++b)
    for (int64_t head = 0; head < h; ++head)
      for (int64_t i = 0; i < l; ++i)
        for (int64_t c = 0; c < d; ++c)
          (*result.storage)[view->position({b, head, i, c})] =
              (*heads.storage)[heads.position({b, head, i, c})];
  return result;
}

llvm::Error runMergeHeads(Interpreter &interpreter, MergeHeadsOp op) {
  auto result = mergeHeads(op, interpreter.array(op.getX()), op.getOrder());
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}

//===--- Appended keys and values ------------------------------------------===//

/// (H, A, D): the bias (1, 1, H * D), if it is not null, then rows of zeros.
llvm::Expected<Array> appended(Operation *op, const Array *bias, ArrayRef<int64_t> shape) {
  Array result = Array::filled(shape);
  if (!bias)
    return result;
  if (shape[1] < 1 ||
      ArrayRef(bias->shape) != ArrayRef({int64_t(1), int64_t(1), shape[0] * shape[2]}))
    return fail(op, "must append a bias (1, 1, H * D) as the first of its rows");
  for (int64_t h = 0; h < shape[0]; ++h)
    for (int64_t c = 0; c < shape[2]; ++c)
      (*result.storage)[result.position({h, 0, c})] =
          (*bias->storage)[bias->position({0, 0, h * shape[2] + c})];
  return result;
}

llvm::Error runAppended(Interpreter &interpreter, AppendedOp op) {
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  if (shape.size() != 3 || llvm::any_of(shape, ShapedType::isDynamic))
    return fail(op, "must have a result (H, A, D) of static shape");
  auto result = appended(op, op.getBias() ? &interpreter.array(op.getBias()) : nullptr, shape);
  if (!result)
    return result.takeError();
  interpreter.round(*result->storage);
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}

llvm::Error runPackAppended(Interpreter &interpreter, PackAppendedOp op) {
  const Array rows = interpreter.array(op.getAppended());
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  if (rows.rank() != 3 || llvm::any_of(shape, ShapedType::isDynamic))
    return fail(op, "must pack a tensor (H, A, D) into one of static shape");
  const int64_t heads = rows.shape[0], count = rows.shape[1], depth = rows.shape[2];
  const bool isPanel = op.getKind() == PackKind::Panel;
  if (isPanel ? shape.size() != 4 || shape[0] != heads || shape[1] != 1 || shape[2] != depth ||
                    shape[3] < count
              : shape.size() != 3 || shape[0] != heads || shape[1] != count || shape[2] < depth)
    return fail(op, isPanel ? "must pack keys (H, A, D) into panels (H, 1, D, width)"
                            : "must pack values (H, A, D) into rows (H, A, D')");
  Array packed = Array::filled(shape);
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t a = 0; a < count; ++a)
      for (int64_t c = 0; c < depth; ++c)
        (*packed.storage)[isPanel ? packed.position({h, 0, c, a}) : packed.position({h, a, c})] =
            (*rows.storage)[rows.position({h, a, c})];
  interpreter.round(*packed.storage);
  interpreter.set(op.getResult(), View{packed});
  return llvm::Error::success();
}

//===--- The module --------------------------------------------------------===//

/// Query, key and value of the module, projected and viewed as heads, with what is appended.
llvm::Expected<AttentionProblem> projectOperands(Interpreter &interpreter,
                                                 MultiheadAttentionOp op) {
  const int64_t embedDim = shapeOf(op.getQuery()).back(), heads = op.getNumHeads();
  const int64_t headDim = embedDim / heads;
  auto optional = [&](Value value) { return value ? &interpreter.array(value) : nullptr; };
  const bool isStacked = op.getInProjWeights().size() == 1;
  AttentionProblem problem;
  const Value inputs[] = {op.getQuery(), op.getKey(), op.getValue()};
  Array *const operands[] = {&problem.query, &problem.key, &problem.value};
  for (auto [part, input, operand] : llvm::enumerate(inputs, operands)) {
    const int64_t row = static_cast<int64_t>(part) * embedDim;
    auto projected = project(interpreter, op,
                             {interpreter.array(input),
                              interpreter.array(op.getInProjWeights()[isStacked ? 0 : part]),
                              optional(op.getInProjBias()), isStacked ? row : 0, row, embedDim});
    if (!projected)
      return projected.takeError();
    auto split = splitHeads(op, *projected, op.getOrder(), 0, heads, headDim);
    if (!split)
      return split.takeError();
    *operand = *split;
  }
  if (op.getAppendedCount() == 0)
    return problem;
  auto key = appended(op, optional(op.getBiasK()), {heads, op.getAppendedCount(), headDim});
  if (!key)
    return key.takeError();
  auto value = appended(op, optional(op.getBiasV()), {heads, op.getAppendedCount(), headDim});
  if (!value)
    return value.takeError();
  problem.appendedKey = *key;
  problem.appendedValue = *value;
  return problem;
}

llvm::Error runModule(Interpreter &interpreter, MultiheadAttentionOp op) {
  auto problem = projectOperands(interpreter, op);
  if (!problem)
    return problem.takeError();
  problem->scale = 1.0 / std::sqrt(static_cast<double>(problem->query.shape[3]));
  problem->nanMaskedRows = op.getNanMaskedRows();
  problem->wantsWeights = static_cast<bool>(op.getWeights());
  auto attended =
      attendMasked(interpreter, op, *problem,
                   {op.getScore(), op.getAttnMask(), op.getKeyPaddingMask(), op.getIsCausal()});
  if (!attended)
    return attended.takeError();
  auto merged = mergeHeads(op, attended->out, op.getOrder());
  if (!merged)
    return merged.takeError();
  const Array &weight = interpreter.array(op.getOutProjWeight());
  if (weight.rank() != 2)
    return fail(op, "must have an out_proj_weight of rank 2");
  const Array *bias = op.getOutProjBias() ? &interpreter.array(op.getOutProjBias()) : nullptr;
  auto result = project(interpreter, op, {*merged, weight, bias, 0, 0, weight.shape[0]});
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return setWeights(interpreter, op, attended->weights, op.getWeights(), op.getAverageWeights());
}
} // namespace

void addGraphHandlers(HandlerTable &table) {
  add<MultiheadAttentionOp>(table, runModule);
  add<ProjectOp>(table, runProject);
  add<PackWeightOp>(table, runPackWeight);
  add<PackBiasOp>(table, runPackBias);
  add<SplitHeadsOp>(table, runSplitHeads);
  add<MergeHeadsOp>(table, runMergeHeads);
  add<AppendedOp>(table, runAppended);
  add<PackAppendedOp>(table, runPackAppended);
}

} // namespace attune::mha::interpreter
