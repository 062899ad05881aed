//===- InterpreterAttention.cpp - Attention on whole tensors --------------===//
#include "dialect/InterpreterAttention.h"

#include "dialect/Mha.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>

using namespace mlir;

namespace attune::mha::interpreter {

namespace {
/// Changes the scores of row (b, h, i) against the given keys in place; -inf hides a key.
using AdjustRow =
    llvm::function_ref<llvm::Error(int64_t b, int64_t h, int64_t i, MutableArrayRef<double>)>;

llvm::Error checkProblem(Operation *op, const AttentionProblem &problem) {
  const auto &q = problem.query.shape, &k = problem.key.shape, &v = problem.value.shape;
  for (const auto &shape : {q, k, v})
    if (shape.size() != 4 || shape[0] != q[0] || shape[1] != q[1])
      return fail(op, "must have operands (N, H, length, D) with equal N and H");
  if (k[3] != q[3] || v[2] != k[2])
    return fail(op, "must have keys as deep as queries and as many values as keys");
  if (!problem.appendedKey)
    return llvm::Error::success();
  const auto &key = problem.appendedKey->shape, &value = problem.appendedValue->shape;
  if (key.size() != 3 || value.size() != 3 || key[0] != q[1] || value[0] != q[1] ||
      key[1] != value[1] || key[2] != q[3] || value[2] != v[3])
    return fail(op, "must have appended keys and values (H, A, D) like those given");
  return llvm::Error::success();
}

/// (N, H, S + A, columns): behind the given rows of every batch element those appended.
Array joined(const Array &given, const std::optional<Array> &appended) {
  const int64_t rows = given.shape[2], columns = given.shape[3];
  const int64_t all = rows + (appended ? appended->shape[1] : 0);
  Array result = Array::filled({given.shape[0], given.shape[1], all, columns});
  double *target = result.storage->data();
  for (int64_t b = 0; b < given.shape[0]; ++b)
    for (int64_t h = 0; h < given.shape[1]; ++h)
      for (int64_t row = 0; row < all; ++row)
        for (int64_t column = 0; column < columns; ++column)
          *target++ = row < rows
                          ? (*given.storage)[given.position({b, h, row, column})]
                          : (*appended->storage)[appended->position({h, row - rows, column})];
  return result;
}

/// weights = softmax(scores); out = weights . values, where keys of score -inf are not looked at.
template <typename Real>
void attendRow(const Interpreter &interpreter, ArrayRef<double> scores, const double *values,
               bool nanMaskedRows, MutableArrayRef<double> weights, MutableArrayRef<double> out) {
  Real maximum = -std::numeric_limits<Real>::infinity(), sum = 0;
  for (double score : scores) // a NaN wins and stays
    if (const Real s = static_cast<Real>(score); s > maximum || std::isnan(s))
      maximum = s;
  for (auto [weight, score] : llvm::zip(weights, scores)) {
    weight = score == minusInfinity ? Real(0) : std::exp(static_cast<Real>(score) - maximum);
    sum += static_cast<Real>(weight);
  }
  const double masked = nanMaskedRows ? poison : 0.0;
  for (double &weight : weights)
    weight = sum == 0 ? masked : interpreter.rounded(static_cast<Real>(weight) / sum);
  if (sum == 0)
    return llvm::fill(out, masked);
  std::vector<Real> result(out.size());
  for (size_t j = 0; j < scores.size(); ++j) {
    if (scores[j] == minusInfinity)
      continue;
    const double *row = values + j * out.size();
    for (size_t c = 0; c < out.size(); ++c)
      result[c] += static_cast<Real>(weights[j]) * static_cast<Real>(row[c]);
  }
  llvm::copy(result, out.begin());
}

/// Softmax attention, by blocks of rows.
llvm::Expected<AttentionResult> attend(Interpreter &interpreter, Operation *op,
                                       const AttentionProblem &problem, AdjustRow adjust) {
  const Array q = problem.query.dense();
  const Array k = joined(problem.key, problem.appendedKey);
  const Array v = joined(problem.value, problem.appendedValue);
  const int64_t heads = q.shape[1], length = q.shape[2], depth = q.shape[3];
  const int64_t keys = k.shape[2], given = problem.key.shape[2], columns = v.shape[3];
  AttentionResult result{Array::filled({q.shape[0], heads, length, columns}), {}};
  if (problem.wantsWeights)
    result.weights = Array::filled({q.shape[0], heads, length, keys});
  const bool isExact = interpreter.options.rounding == Rounding::None;
  const double scale = isExact ? problem.scale : roundedToFloat32(problem.scale);
  std::vector<double> weights(keys);
  constexpr int64_t rowBlock = 64;
  for (int64_t panel = 0; panel < q.shape[0] * heads; ++panel)
    for (int64_t first = 0; first < length; first += rowBlock) {
      const int64_t rows = std::min(rowBlock, length - first);
      std::vector<double> scores(rows * keys);
      multiply(rows, keys, depth, {q.storage->data() + (panel * length + first) * depth, depth, 1},
               {k.storage->data() + panel * keys * depth, 1, depth}, scores.data(),
               interpreter.options);
      for (int64_t row = 0; row < rows; ++row) {
        MutableArrayRef<double> line(scores.data() + row * keys, keys);
        for (double &score : line)
          score = interpreter.rounded(score * scale);
        if (llvm::Error error =
                adjust(panel / heads, panel % heads, first + row, line.take_front(given)))
          return std::move(error);
        const int64_t at = panel * length + first + row;
        (isExact ? attendRow<double>
                 : attendRow<float>)(interpreter, line, v.storage->data() + panel * keys * columns,
                                     problem.nanMaskedRows, weights,
                                     MutableArrayRef(result.out.storage->data() + at * columns,
                                                     columns));
        if (problem.wantsWeights)
          llvm::copy(weights, result.weights.storage->begin() + at * keys);
      }
    }
  return result;
}

//===--- What is done to scores --------------------------------------------===//

/// Runs a score region on the scores of row (b, h, i).
llvm::Error runScore(RegionPlan &plan, ArrayRef<int64_t> point, MutableArrayRef<double> row) {
  for (auto [k, index] : llvm::enumerate(point))
    plan.arguments()[1 + k].integer = index;
  for (auto [j, s] : llvm::enumerate(row)) {
    Scalar result;
    plan.arguments()[0].real = s;
    plan.arguments()[4].integer = j;
    if (!plan.run(result))
      return plan.error();
    s = result.real;
  }
  return llvm::Error::success();
}

/// Runs a keep region on the scores of row (b, h, i).
llvm::Error runKeep(RegionPlan &plan, ArrayRef<int64_t> point, MutableArrayRef<double> row) {
  for (auto [k, index] : llvm::enumerate(point))
    plan.arguments()[k].integer = index;
  for (auto [j, s] : llvm::enumerate(row)) {
    Scalar result;
    plan.arguments()[3].integer = j;
    if (!plan.run(result))
      return plan.error();
    if (result.integer == 0)
      s = minusInfinity;
  }
  return llvm::Error::success();
}

/// A mask that is there or not, as rows of as many entries as there are keys.
struct Mask {
  Array array; ///< dense; without storage: no mask
  bool forbids = false;
  int64_t keys = 0;

  explicit operator bool() const { return array.storage != nullptr; }
  const double *row(int64_t index) const {
    return array.storage ? array.storage->data() + index * keys : nullptr;
  }
};

/// Reads a mask whose shape is to be `shape`, or that with all but its last `least` sizes left out.
llvm::Expected<Mask> readMask(Interpreter &interpreter, Operation *op, Value value, StringRef name,
                              ArrayRef<int64_t> shape, size_t least) {
  if (!value)
    return Mask();
  const Array &array = interpreter.array(value);
  if (array.shape.size() == least)
    shape = shape.take_back(least);
  if (ArrayRef(array.shape) != shape) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << "has " << name << " of shape [";
    llvm::interleaveComma(array.shape, stream);
    stream << "], not [";
    llvm::interleaveComma(shape, stream);
    stream << "]";
    return fail(op, text);
  }
  return Mask{array.dense(), getElementTypeOrSelf(value.getType()).isInteger(), shape.back()};
}
} // namespace

llvm::Expected<AttentionResult> attendMasked(Interpreter &interpreter, Operation *op,
                                             const AttentionProblem &problem,
                                             const Masking &masking) {
  if (llvm::Error error = checkProblem(op, problem))
    return std::move(error);
  const auto [target, source] = problem.lengths();
  const int64_t batch = problem.query.shape[0], heads = problem.query.shape[1];
  auto score = interpreter.plan(masking.score, problem.lengths());
  if (!score)
    return score.takeError();
  auto mask =
      readMask(interpreter, op, masking.attnMask, "attn_mask", {batch * heads, target, source}, 2);
  if (!mask)
    return mask.takeError();
  auto padding = readMask(interpreter, op, masking.keyPaddingMask, "key_padding_mask",
                          {batch, source}, batch == 1 ? 1 : 2);
  if (!padding)
    return padding.takeError();
  auto adjust = [&](int64_t b, int64_t h, int64_t i, MutableArrayRef<double> row) -> llvm::Error {
    if (*score)
      if (llvm::Error error = runScore(**score, {b, h, i}, row))
        return error;
    const int64_t panel = mask->array.rank() == 3 ? b * heads + h : 0;
    const double *entries = mask->row(panel * target + i), *padded = padding->row(b);
    for (auto [j, s] : llvm::enumerate(row)) {
      if (*mask && !mask->forbids)
        s = interpreter.rounded(s + entries[j]);
      if (*padding && !padding->forbids)
        s = interpreter.rounded(s + padded[j]);
      // A padded key may hold NaN, to which -inf cannot be added.
      const bool isPadded =
          *padding && (padding->forbids ? padded[j] != 0 : padded[j] == minusInfinity);
      if (isPadded || (masking.causal && static_cast<int64_t>(j) > i) ||
          (*mask && mask->forbids && entries[j] != 0))
        s = minusInfinity;
    }
    return llvm::Error::success();
  };
  return attend(interpreter, op, problem, adjust);
}

llvm::Error setWeights(Interpreter &interpreter, Operation *op, const Array &weights, Value result,
                       bool average) {
  if (!result)
    return llvm::Error::success();
  Array set = weights;
  const auto &shape = weights.shape;
  if (average) {
    set = Array::filled({shape[0], shape[2], shape[3]});
    for (int64_t b = 0; b < shape[0]; ++b)
      for (int64_t i = 0; i < shape[2]; ++i)
        for (int64_t j = 0; j < shape[3]; ++j) {
          double sum = 0;
          for (int64_t h = 0; h < shape[1]; ++h)
            sum = interpreter.rounded(sum + (*weights.storage)[weights.position({b, h, i, j})]);
          (*set.storage)[set.position({b, i, j})] = interpreter.rounded(sum / shape[1]);
        }
  }
  const int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
  if (rank == set.rank() - 1 && shape[0] == 1) {
    set.shape.erase(set.shape.begin());
    set.strides.erase(set.strides.begin());
  }
  if (rank != set.rank())
    return fail(op, "has weights of rank " + llvm::Twine(rank) + ", which those of batch " +
                        llvm::Twine(shape[0]) + (average ? ", averaged," : " a head") +
                        " do not have");
  interpreter.set(result, View{set});
  return llvm::Error::success();
}

namespace {
template <typename Op> AttentionProblem problemOf(Interpreter &interpreter, Op op) {
  AttentionProblem problem{interpreter.array(op.getQuery()), interpreter.array(op.getKey()),
                           interpreter.array(op.getValue())};
  if (op.getAppendedKey()) {
    problem.appendedKey = interpreter.array(op.getAppendedKey());
    problem.appendedValue = interpreter.array(op.getAppendedValue());
  }
  problem.scale = op.getScale().convertToDouble();
  problem.nanMaskedRows = op.getNanMaskedRows();
  problem.wantsWeights = static_cast<bool>(op.getWeights());
  return problem;
}

template <typename Op>
llvm::Error setResults(Interpreter &interpreter, Op op, llvm::Expected<AttentionResult> result) {
  if (!result)
    return result.takeError();
  interpreter.set(op.getResult(), View{result->out});
  return setWeights(interpreter, op, result->weights, op.getWeights(), op.getAverageWeights());
}

llvm::Error runAttention(Interpreter &interpreter, AttentionOp op) {
  return setResults(
      interpreter, op,
      attendMasked(interpreter, op, problemOf(interpreter, op),
                   {op.getScore(), op.getAttnMask(), op.getKeyPaddingMask(), op.getIsCausal()}));
}

/// Views of what mha.pack_appended made, keys (H, 1, D, width) and values (H, A, D'), as (H, A, D).
void unpackAppended(AttentionProblem &problem) {
  if (!problem.appendedKey || problem.appendedKey->rank() != 4)
    return;
  Array &key = *problem.appendedKey, &value = *problem.appendedValue;
  key.shape = {key.shape[0], std::min(value.shape[1], key.shape[3]), key.shape[2]};
  key.strides = {key.strides[0], key.strides[3], key.strides[2]};
  value.shape.back() = std::min(value.shape.back(), problem.value.shape.back());
}

llvm::Error runAttend(Interpreter &interpreter, AttendOp op) {
  AttentionProblem problem = problemOf(interpreter, op);
  unpackAppended(problem);
  if (llvm::Error error = checkProblem(op, problem))
    return error;
  auto score = interpreter.plan(op.getScore(), problem.lengths());
  if (!score)
    return score.takeError();
  auto keep = interpreter.plan(op.getKeep(), problem.lengths());
  if (!keep)
    return keep.takeError();
  auto adjust = [&](int64_t b, int64_t h, int64_t i, MutableArrayRef<double> row) -> llvm::Error {
    if (*score)
      if (llvm::Error error = runScore(**score, {b, h, i}, row))
        return error;
    return *keep ? runKeep(**keep, {b, h, i}, row) : llvm::Error::success();
  };
  return setResults(interpreter, op, attend(interpreter, op, problem, adjust));
}
} // namespace

void addAttentionHandlers(HandlerTable &table) {
  add<AttentionOp>(table, runAttention);
  add<AttendOp>(table, runAttend);
}

} // namespace attune::mha::interpreter
