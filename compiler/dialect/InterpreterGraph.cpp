//===- InterpreterGraph.cpp - Operations on whole tensors -----------------===//
#include "dialect/InterpreterCore.h"

#include "dialect/Mha.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;

namespace attune::mha::interpreter {

namespace {
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

const Array &tensor(Interpreter &interpreter, Value value) {
  return interpreter.get<View>(value).array;
}

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
  const Array *bias = op.getBias() ? &tensor(interpreter, op.getBias()) : nullptr;
  auto result = project(interpreter, op, tensor(interpreter, op.getX()),
                        tensor(interpreter, op.getWeight()), bias, op.getFirst(), op.getColumns());
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}

llvm::Error runPackWeight(Interpreter &interpreter, PackWeightOp op) {
  const Array weight = tensor(interpreter, op.getWeight());
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
  const Array bias = tensor(interpreter, op.getBias());
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
  if (shape.size() != 4)
    return fail(op, "must have a result of rank 4");
  auto result = splitHeads(op, tensor(interpreter, op.getX()), op.getOrder(), op.getFirst(),
                           shape[1], shape[3]);
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
  auto result = mergeHeads(op, tensor(interpreter, op.getX()), op.getOrder());
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}

//===--- Attention ---------------------------------------------------------===//

/// Changes the scores of row (b, h, i) in place; -inf hides a key.
using AdjustRow =
    llvm::function_ref<llvm::Error(int64_t b, int64_t h, int64_t i, MutableArrayRef<double>)>;

struct Softmax {
  double scale;
  bool nanMaskedRows;
};

/// out[0 .. depth) = softmax(scores) . values, where keys of score -inf are not looked at.
template <typename Real>
void attendRow(ArrayRef<double> scores, const double *values, int64_t depth, bool nanMaskedRows,
               double *out) {
  Real maximum = -std::numeric_limits<Real>::infinity(), sum = 0;
  for (double score : scores) // a NaN wins and stays
    if (const Real s = static_cast<Real>(score); s > maximum || std::isnan(s))
      maximum = s;
  std::vector<Real> result(depth);
  for (size_t j = 0; j < scores.size(); ++j) {
    if (scores[j] == kMinusInfinity)
      continue;
    const Real p = std::exp(static_cast<Real>(scores[j]) - maximum);
    sum += p;
    const double *row = values + j * depth;
    for (int64_t c = 0; c < depth; ++c)
      result[c] += p * static_cast<Real>(row[c]);
  }
  for (int64_t c = 0; c < depth; ++c)
    out[c] = sum == 0 ? (nanMaskedRows ? poison : 0.0) : static_cast<double>(result[c] / sum);
}

/// Softmax attention of (N, H, L, D), (N, H, S, D), (N, H, S, V).
llvm::Expected<Array> attend(Interpreter &interpreter, Operation *op, ArrayRef<Array> operands,
                             Softmax softmax, AdjustRow adjust) {
  for (const Array &operand : operands)
    if (operand.rank() != 4 || operand.shape[0] != operands[0].shape[0] ||
        operand.shape[1] != operands[0].shape[1])
      return fail(op, "must have operands (N, H, length, D) with equal N and H");
  const Array q = operands[0].dense(), k = operands[1].dense(), v = operands[2].dense();
  const int64_t heads = q.shape[1], length = q.shape[2], depth = q.shape[3];
  const int64_t source = k.shape[2], columns = v.shape[3];
  if (k.shape[3] != depth || v.shape[2] != source)
    return fail(op, "must have keys as deep as queries and as many values as keys");
  Array out = Array::filled({q.shape[0], heads, length, columns});
  constexpr int64_t rowBlock = 64;
  for (int64_t panel = 0; panel < q.shape[0] * heads; ++panel)
    for (int64_t first = 0; first < length; first += rowBlock) {
      const int64_t rows = std::min(rowBlock, length - first);
      std::vector<double> scores(rows * source);
      multiply(rows, source, depth,
               {q.storage->data() + (panel * length + first) * depth, depth, 1},
               {k.storage->data() + panel * source * depth, 1, depth}, scores.data(),
               interpreter.options);
      for (int64_t row = 0; row < rows; ++row) {
        MutableArrayRef<double> line(scores.data() + row * source, source);
        for (double &score : line)
          score = interpreter.rounded(score * interpreter.rounded(softmax.scale));
        if (llvm::Error error = adjust(panel / heads, panel % heads, first + row, line))
          return std::move(error);
        (interpreter.options.roundToFloat32
             ? attendRow<float>
             : attendRow<double>)(line, v.storage->data() + panel * source * columns, columns,
                                  softmax.nanMaskedRows,
                                  out.storage->data() + (panel * length + first + row) * columns);
      }
    }
  return out;
}

/// Attention with PyTorch's masks; `mask` may be null. It is (L, S), or (N * H, L, S).
llvm::Expected<Array> attendMasked(Interpreter &interpreter, Operation *op,
                                   ArrayRef<Array> operands, Value maskValue, bool causal,
                                   Softmax softmax) {
  Array mask;
  if (maskValue)
    mask = tensor(interpreter, maskValue).dense();
  const bool forbids = maskValue && getElementTypeOrSelf(maskValue.getType()).isInteger();
  const int64_t heads = operands[0].rank() == 4 ? operands[0].shape[1] : 0;
  auto adjust = [&](int64_t b, int64_t h, int64_t i, MutableArrayRef<double> row) -> llvm::Error {
    const int64_t size = row.size();
    if (maskValue) {
      std::vector<int64_t> at = {b * heads + h, i, 0}, extents = {1, 1, size};
      if (mask.rank() == 2)
        at.erase(at.begin()), extents.erase(extents.begin());
      auto position = checkWindow(op, mask, at, extents);
      if (!position)
        return position.takeError();
      const double *entries = mask.storage->data() + *position;
      for (int64_t j = 0; j < size; ++j)
        row[j] = !forbids ? interpreter.rounded(row[j] + entries[j])
                          : (entries[j] != 0 ? kMinusInfinity : row[j]);
    }
    for (int64_t j = i + 1; causal && j < size; ++j)
      row[j] = kMinusInfinity;
    return llvm::Error::success();
  };
  return attend(interpreter, op, operands, softmax, adjust);
}

llvm::Error runAttention(Interpreter &interpreter, AttentionOp op) {
  auto result = attendMasked(interpreter, op,
                             {tensor(interpreter, op.getQuery()), tensor(interpreter, op.getKey()),
                              tensor(interpreter, op.getValue())},
                             op.getAttnMask(), op.getIsCausal(),
                             {op.getScale().convertToDouble(), op.getNanMaskedRows()});
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}

/// Runs the regions of attend on one row of scores.
llvm::Error runRegions(RegionPlan *score, RegionPlan *keep, ArrayRef<int64_t> point,
                       MutableArrayRef<double> row) {
  for (RegionPlan *plan : {score, keep})
    for (size_t k = 0; plan && k < point.size(); ++k)
      plan->arguments()[k + (plan == score)].integer = point[k];
  for (auto [j, s] : llvm::enumerate(row)) {
    Scalar result;
    if (score) {
      score->arguments()[0].real = s;
      score->arguments()[4].integer = j;
      if (!score->run(result))
        return score->error();
      s = result.real;
    }
    if (!keep)
      continue;
    keep->arguments()[3].integer = j;
    if (!keep->run(result))
      return keep->error();
    if (result.integer == 0)
      s = kMinusInfinity;
  }
  return llvm::Error::success();
}

llvm::Error runAttend(Interpreter &interpreter, AttendOp op) {
  auto score = interpreter.plan(op.getScore());
  if (!score)
    return score.takeError();
  auto keep = interpreter.plan(op.getKeep());
  if (!keep)
    return keep.takeError();
  auto adjust = [&](int64_t b, int64_t h, int64_t i, MutableArrayRef<double> row) {
    return runRegions(*score, *keep, {b, h, i}, row);
  };
  auto result = attend(interpreter, op,
                       {tensor(interpreter, op.getQuery()), tensor(interpreter, op.getKey()),
                        tensor(interpreter, op.getValue())},
                       {op.getScale().convertToDouble(), op.getNanMaskedRows()}, adjust);
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}

//===--- The module --------------------------------------------------------===//

llvm::Error runModule(Interpreter &interpreter, MultiheadAttentionOp op) {
  const int64_t embedDim = shapeOf(op.getQuery()).back(), heads = op.getNumHeads();
  const int64_t headDim = embedDim / heads;
  auto bias = [&](Value value) { return value ? &tensor(interpreter, value) : nullptr; };
  std::vector<Array> operands;
  const Value inputs[] = {op.getQuery(), op.getKey(), op.getValue()};
  for (auto [index, input] : llvm::enumerate(inputs)) {
    auto projected = project(interpreter, op, tensor(interpreter, input),
                             tensor(interpreter, op.getInProjWeight()), bias(op.getInProjBias()),
                             static_cast<int64_t>(index) * embedDim, embedDim);
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
  const Array &weight = tensor(interpreter, op.getOutProjWeight());
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
  add<AttentionOp>(table, runAttention);
  add<AttendOp>(table, runAttend);
}

} // namespace attune::mha::interpreter
