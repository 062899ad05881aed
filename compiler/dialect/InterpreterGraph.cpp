//===- InterpreterGraph.cpp - Operations on whole tensors -----------------===//
#include "dialect/InterpreterCore.h"

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

/// x . weight[first .. first + columns)^T + bias, with a weight (rows, K) or packed panels.
llvm::Expected<Array> project(Interpreter &interpreter, Operation *op, const Array &input,
                              const Array &weight, const Array *bias, int64_t first,
                              int64_t columns) {
  const Array x = input.dense(), w = weight.dense();
  const int64_t depth = w.shape[1];
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
    if (bias->rank() != 1 || bias->shape[0] < first + columns)
      return fail(op, "takes elements outside its bias");
    const Array addend = bias->dense();
    for (int64_t k = 0; k < rows * columns; ++k)
      (*result.storage)[k] += (*addend.storage)[first + k % columns];
  }
  interpreter.round(*result.storage);
  return result;
}

llvm::Error runProject(Interpreter &interpreter, ProjectOp op) {
  const Array *bias = op.getBias() ? &interpreter.array(op.getBias()) : nullptr;
  auto result = project(interpreter, op, interpreter.array(op.getX()),
                        interpreter.array(op.getWeight()), bias, op.getFirst(), op.getColumns());
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}

llvm::Error runPackWeight(Interpreter &interpreter, PackWeightOp op) {
  const Array weight = interpreter.array(op.getWeight());
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  const int64_t first = op.getFirst(), columns = op.getColumns();
  if (weight.rank() != 2 || shape.size() != 3 || shape[1] != weight.shape[1] || shape[2] < 1 ||
      shape[0] != llvm::divideCeilSigned(columns, shape[2]))
    return fail(op, "does not pack its weight into panels (ceil(columns / width), K, width)");
  if (first < 0 || columns < 0 || first + columns > weight.shape[0])
    return fail(op, "takes rows outside its weight");
  Array packed = Array::filled(shape);
  const Array source = weight.dense();
  for (int64_t column = 0; column < columns; ++column)
    for (int64_t k = 0; k < shape[1]; ++k)
      (*packed.storage)[packed.position({column / shape[2], k, column % shape[2]})] =
          (*source.storage)[(first + column) * shape[1] + k];
  interpreter.round(*packed.storage);
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

//===--- The module --------------------------------------------------------===//

llvm::Error runModule(Interpreter &interpreter, MultiheadAttentionOp op) {
  const int64_t embedDim = shapeOf(op.getQuery()).back(), heads = op.getNumHeads();
  const int64_t headDim = embedDim / heads;
  auto bias = [&](Value value) { return value ? &interpreter.array(value) : nullptr; };
  std::vector<Array> operands;
  const Value inputs[] = {op.getQuery(), op.getKey(), op.getValue()};
  for (auto [index, input] : llvm::enumerate(inputs)) {
    auto projected =
        project(interpreter, op, interpreter.array(input), interpreter.array(op.getInProjWeight()),
                bias(op.getInProjBias()), static_cast<int64_t>(index) * embedDim, embedDim);
    if (!projected)
      return projected.takeError();
    auto split = splitHeads(op, *projected, op.getOrder(), 0, heads, headDim);
    if (!split)
      return split.takeError();
    operands.push_back(*split);
  }
  const double scale = 1.0 / std::sqrt(static_cast<double>(headDim));
  auto attended = attendMasked(interpreter, op, operands, op.getAttnMask(), op.getIsCausal(),
                               {scale, op.getNanMaskedRows()});
  if (!attended)
    return attended.takeError();
  auto merged = mergeHeads(op, *attended, op.getOrder());
  if (!merged)
    return merged.takeError();
  const Array &weight = interpreter.array(op.getOutProjWeight());
  if (weight.rank() != 2)
    return fail(op, "must have an out_proj_weight of rank 2");
  auto result =
      project(interpreter, op, *merged, weight, bias(op.getOutProjBias()), 0, weight.shape[0]);
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}
} // namespace

void addGraphHandlers(HandlerTable &table) {
  add<MultiheadAttentionOp>(table, runModule);
  add<ProjectOp>(table, runProject);
  add<PackWeightOp>(table, runPackWeight);
  add<PackBiasOp>(table, runPackBias);
  add<SplitHeadsOp>(table, runSplitHeads);
  add<MergeHeadsOp>(table, runMergeHeads);
}

} // namespace attune::mha::interpreter
