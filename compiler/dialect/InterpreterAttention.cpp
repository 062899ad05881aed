//===- InterpreterAttention.cpp - Attention on whole tensors --------------===//
#include "dialect/InterpreterCore.h"

#include "dialect/Mha.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>

using namespace mlir;

namespace attune::mha::interpreter {

namespace {
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// Changes the scores of row (b, h, i) in place; -inf hides a key.
using AdjustRow =
    llvm::function_ref<llvm::Error(int64_t b, int64_t h, int64_t i, MutableArrayRef<double>)>;

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
} // namespace

llvm::Expected<Array> attendMasked(Interpreter &interpreter, Operation *op,
                                   ArrayRef<Array> operands, Value maskValue, bool causal,
                                   Softmax softmax) {
  Array mask;
  if (maskValue)
    mask = interpreter.array(maskValue).dense();
  const bool forbids = maskValue && getElementTypeOrSelf(maskValue.getType()).isInteger();
  const int64_t heads = operands[0].rank() == 4 ? operands[0].shape[1] : 0;
  auto adjust = [&](int64_t b, int64_t h, int64_t i, MutableArrayRef<double> row) -> llvm::Error {
    const int64_t size = row.size();
    if (maskValue) {
      std::vector<int64_t> at = {b * heads + h, i, 0}, extents = {1, 1, size};
      if (mask.rank() == 2)
        at.erase(at.begin()), extents.erase(extents.begin());
      if (mask.rank() < 2 || mask.shape.back() != size)
        return fail(op, "has a mask whose last size is not the number of keys");
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

namespace {
llvm::Error runAttention(Interpreter &interpreter, AttentionOp op) {
  auto result = attendMasked(interpreter, op,
                             {interpreter.array(op.getQuery()), interpreter.array(op.getKey()),
                              interpreter.array(op.getValue())},
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
                       {interpreter.array(op.getQuery()), interpreter.array(op.getKey()),
                        interpreter.array(op.getValue())},
                       {op.getScale().convertToDouble(), op.getNanMaskedRows()}, adjust);
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{*result});
  return llvm::Error::success();
}
} // namespace

void addAttentionHandlers(HandlerTable &table) {
  add<AttentionOp>(table, runAttention);
  add<AttendOp>(table, runAttend);
}

} // namespace attune::mha::interpreter
