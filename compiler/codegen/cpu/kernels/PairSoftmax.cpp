//===- PairSoftmax.cpp - Online softmax with probabilities in bfloat16 ----===//
//
// Three loops: the maxima of all rows, four rows at a time, so that they are reduced side by side;
// the factors that bring earlier sums to the new maxima, 16 rows at a time; and the probabilities,
// a row at a time, which a product with ones adds up in pairs as they are stored.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/KernelSymbol.h"
#include "codegen/cpu/kernels/LlvmExp2.h"
#include "codegen/cpu/kernels/LlvmKernel.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/Support/raw_ostream.h"
#include <numeric>

using namespace llvm;

namespace attune::cpu {

namespace {
constexpr int64_t kLanes = 16;
/// Probabilities that are computed side by side: a scheduler of about a hundred operations does not
/// look far enough ahead to find independent ones.
constexpr int64_t kWideLanes = 4 * kLanes;

class PairSoftmaxBuilder {
public:
  PairSoftmaxBuilder(const PairSoftmaxSpec &spec, const KernelTarget &target,
                     const Kernel &description)
      : spec(spec), target(target), kernel(description), ir(kernel.ir()), s(kernel.buffer(0)),
        maxIn(kernel.buffer(1)), sumIn(kernel.buffer(2)), count(kernel.integer(3)),
        columns(kernel.integer(4)), p(output(description, 0)), maxOut(output(description, 1)),
        sumOut(output(description, 2)), rescale(output(description, 3)) {}

  Expected<Kernel> build() {
    constexpr int64_t rows = 4;
    Value *inBlocks = kernel.roundedDown(count, rows);
    kernel.loop(index(0), inBlocks, rows, [&](Value *row) { buildMaxima(row, rows); });
    kernel.loop(inBlocks, count, 1, [&](Value *row) { buildMaxima(row, 1); });
    kernel.loop(index(0), kernel.roundedUp(count, kLanes), kLanes,
                [&](Value *row) { buildRescale(row); });
    kernel.loop(index(0), count, 1, [&](Value *row) { buildProbabilities(row); });
    return kernel.finish();
  }

private:
  using Carried = LlvmKernelBuilder::Carried;

  const KernelBuffer &output(const Kernel &description, unsigned position) const {
    return kernel.buffer(description.arguments.size() - 4 + position);
  }

  Value *index(int64_t value) { return kernel.index(value); }
  Value *plus(Value *value, int64_t more) { return ir.CreateAdd(value, index(more)); }
  FixedVectorType *floats(int64_t lanes) { return FixedVectorType::get(ir.getFloatTy(), lanes); }
  Value *splat(float value, int64_t lanes = kLanes) {
    return ConstantFP::get(floats(lanes), APFloat(value));
  }
  Value *minusInfinity(int64_t lanes) {
    return ConstantFP::getInfinity(floats(lanes), /*Negative=*/true);
  }
  Value *load(Value *place, int64_t lanes = kLanes) {
    return ir.CreateAlignedLoad(floats(lanes), place, Align(4));
  }

  /// The larger one; `a` if one is NaN.
  Value *maximum(Value *a, Value *b) { return ir.CreateSelect(ir.CreateFCmpOLT(a, b), b, a); }

  /// `picks` from both, and what they leave: halves the number of lanes that are looked at.
  Value *halved(Value *a, Value *b, ArrayRef<int> picks, ArrayRef<int> others) {
    return maximum(ir.CreateShuffleVector(a, b, picks), ir.CreateShuffleVector(a, b, others));
  }

  Value *reducedOne(Value *vector) {
    for (int64_t half = kLanes / 2; half >= 1; half /= 2) {
      SmallVector<int> low(half), high(half);
      std::iota(low.begin(), low.end(), 0);
      std::iota(high.begin(), high.end(), half);
      vector = halved(vector, vector, low, high);
    }
    return vector;
  }

  /// The largest lane of one vector, or of each of four.
  Value *reduced(ArrayRef<Value *> vectors) {
    if (vectors.size() == 1)
      return reducedOne(vectors[0]);
    // Eight lanes of each of two vectors, then four lanes of each of four.
    Value *pairs[2];
    for (int k = 0; k < 2; ++k)
      pairs[k] = halved(vectors[2 * k], vectors[2 * k + 1],
                        {0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23},
                        {8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31});
    Value *fours =
        halved(pairs[0], pairs[1], {0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27},
               {4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31});
    Value *twos = halved(fours, fours, {0, 1, 4, 5, 8, 9, 12, 13}, {2, 3, 6, 7, 10, 11, 14, 15});
    return halved(twos, twos, {0, 2, 4, 6}, {1, 3, 5, 7});
  }

  /// How many of the columns a row sees.
  Value *visibleColumns(Value *row) {
    if (!spec.step)
      return columns;
    Value *first = ir.CreateAdd(kernel.integer(6), ir.CreateMul(row, index(*spec.step)));
    Value *visible = kernel.least(kernel.least(kernel.integer(5), first), columns);
    return kernel.most(visible, index(0));
  }

  /// Scores from `column` on, minus infinity from column `visible` on.
  Value *loadVisible(Value *row, Value *column, Value *visible) {
    Value *mask = kernel.lanesBelow(ir.CreateSub(visible, column), kLanes);
    return ir.CreateMaskedLoad(floats(kLanes), kernel.address(s, {row, column}), Align(4), mask,
                               minusInfinity(kLanes));
  }

  void buildMaxima(Value *row, int64_t rows) {
    SmallVector<Value *> visible;
    Value *least = columns, *most = index(0);
    for (int64_t r = 0; r < rows; ++r) {
      visible.push_back(visibleColumns(plus(row, r)));
      least = kernel.least(least, visible[r]);
      most = kernel.most(most, visible[r]);
    }
    // Two vectors a step: half as long a chain of maxima.
    auto whole = [&](Value *column, ArrayRef<Value *> carried) {
      Carried result;
      for (int64_t r = 0; r < rows; ++r) {
        Value *two = maximum(load(kernel.address(s, {plus(row, r), column})),
                             load(kernel.address(s, {plus(row, r), plus(column, kLanes)})));
        result.push_back(maximum(carried[r], two));
      }
      return result;
    };
    auto partial = [&](Value *column, ArrayRef<Value *> carried) {
      Carried result;
      for (int64_t r = 0; r < rows; ++r)
        result.push_back(maximum(carried[r], loadVisible(plus(row, r), column, visible[r])));
      return result;
    };
    Value *inTwos = kernel.roundedDown(least, 2 * kLanes);
    Carried maxima(rows, minusInfinity(kLanes));
    maxima = kernel.loop(index(0), inTwos, 2 * kLanes, maxima, whole);
    maxima = kernel.loop(inTwos, kernel.roundedUp(most, kLanes), kLanes, maxima, partial);
    Value *tile = reduced(maxima);
    if (spec.scale != 1)
      tile = ir.CreateFMul(tile, splat(static_cast<float>(spec.scale), rows));
    Value *old = load(kernel.address(maxIn, {row}), rows);
    ir.CreateAlignedStore(maximum(old, tile), kernel.address(maxOut, {row}), Align(4));
  }

  /// A row without any visible key has minus infinity, which would make NaN of a difference.
  Value *finite(Value *maximum) {
    const int64_t lanes = cast<FixedVectorType>(maximum->getType())->getNumElements();
    return ir.CreateSelect(ir.CreateFCmpOEQ(maximum, minusInfinity(lanes)), splat(0, lanes),
                           maximum);
  }

  void buildRescale(Value *row) {
    Value *mask = kernel.lanesBelow(ir.CreateSub(count, row), kLanes);
    auto loadRows = [&](const KernelBuffer &buffer) {
      return ir.CreateMaskedLoad(floats(kLanes), kernel.address(buffer, {row}), Align(4), mask,
                                 splat(0));
    };
    constexpr int exactAtZero = 6;
    Value *drop = ir.CreateFMul(ir.CreateFSub(loadRows(maxIn), finite(loadRows(maxOut))),
                                splat(static_cast<float>(log2E)));
    Value *factor = exp2Polynomial(ir, drop, std::max(spec.exp2Degree, exactAtZero), target);
    ir.CreateMaskedStore(factor, kernel.address(rescale, {row}), Align(4), mask);
  }

  Value *rowValue(const KernelBuffer &buffer, Value *row) {
    return ir.CreateVectorSplat(1, ir.CreateLoad(ir.getFloatTy(), kernel.address(buffer, {row})));
  }
  Value *spread(Value *one, int64_t lanes) {
    return ir.CreateShuffleVector(one, SmallVector<int>(lanes, 0));
  }

  void buildProbabilities(Value *row) {
    Value *max = finite(rowValue(maxOut, row));
    if (spec.scale != 1)
      max = ir.CreateFMul(max, splat(static_cast<float>(log2E), 1));
    Value *factor = spread(rowValue(rescale, row), kLanes);
    Value *sum = ir.CreateFMul(load(kernel.address(sumIn, {row, index(0)})), factor);
    Value *visible = visibleColumns(row), *inWide = kernel.roundedDown(visible, kWideLanes);
    Value *end = kernel.roundedUp(visible, kLanes);
    sum = kernel.loop(index(0), inWide, kWideLanes, {sum},
                      [&](Value *column, ArrayRef<Value *> carried) -> Carried {
                        Value *scores = load(kernel.address(s, {row, column}), kWideLanes);
                        return {storeProbabilities(row, column, scores, max, carried[0])};
                      })[0];
    sum = kernel.loop(inWide, end, kLanes, {sum},
                      [&](Value *column, ArrayRef<Value *> carried) -> Carried {
                        Value *scores = loadVisible(row, column, visible);
                        return {storeProbabilities(row, column, scores, max, carried[0])};
                      })[0];
    kernel.loop(end, columns, kLanes, [&](Value *column) {
      Type *halves = FixedVectorType::get(ir.getBFloatTy(), kLanes);
      ir.CreateAlignedStore(Constant::getNullValue(halves), kernel.address(p, {row, column}),
                            Align(2));
    });
    ir.CreateAlignedStore(sum, kernel.address(sumOut, {row, index(0)}), Align(4));
  }

  /// The probabilities of a vector of scores; gives the sum with them.
  Value *storeProbabilities(Value *row, Value *column, Value *scores, Value *max, Value *sum) {
    const int64_t lanes = cast<FixedVectorType>(scores->getType())->getNumElements();
    Value *values =
        exp2Polynomial(ir, exponent(scores, spread(max, lanes)), spec.exp2Degree, target);
    Value *ones = ConstantFP::get(FixedVectorType::get(ir.getBFloatTy(), 2 * kLanes), 1);
    auto part = [&](int64_t first) -> Value * {
      if (first >= lanes)
        return splat(0);
      SmallVector<int> picks(kLanes);
      std::iota(picks.begin(), picks.end(), first);
      return ir.CreateShuffleVector(values, picks);
    };
    for (int64_t first = 0; first < lanes; first += 2 * kLanes) {
      Value *rounded = ir.CreateIntrinsic(Intrinsic::x86_avx512bf16_cvtne2ps2bf16_512, {},
                                          {part(first + kLanes), part(first)});
      sum = ir.CreateIntrinsic(Intrinsic::x86_avx512bf16_dpbf16ps_512, {}, {sum, rounded, ones});
      if (lanes == kLanes)
        rounded = ir.CreateExtractVector(FixedVectorType::get(ir.getBFloatTy(), kLanes), rounded,
                                         uint64_t(0));
      ir.CreateAlignedStore(rounded, kernel.address(p, {row, plus(column, first)}), Align(2));
    }
    return sum;
  }

  /// (t - max) * log2 e; for products, their maximum was multiplied before.
  Value *exponent(Value *stored, Value *max) {
    const int64_t lanes = cast<FixedVectorType>(max->getType())->getNumElements();
    if (spec.scale == 1)
      return ir.CreateFMul(ir.CreateFSub(stored, max), splat(static_cast<float>(log2E), lanes));
    Value *factor = splat(static_cast<float>(spec.scale * log2E), lanes);
    return ir.CreateFSub(ir.CreateFMul(stored, factor), max);
  }

  const PairSoftmaxSpec &spec;
  const KernelTarget &target;
  LlvmKernelBuilder kernel;
  IRBuilder<> &ir;
  const KernelBuffer &s, &maxIn, &sumIn;
  Value *count, *columns;
  const KernelBuffer &p, &maxOut, &sumOut, &rescale;
};
} // namespace

template <> Kernel describeKernel(const PairSoftmaxSpec &spec, const KernelTarget &target) {
  std::string key = std::to_string(spec.exp2Degree) + ' ';
  raw_string_ostream(key).write_hex(bit_cast<uint64_t>(spec.scale));
  if (spec.step)
    key += " step " + std::to_string(*spec.step);
  Kernel kernel{kernelSymbol(spec.step ? "pair_softmax_limited" : "pair_softmax", key, target),
                {bufferArgument(2), bufferArgument(1), bufferArgument(2)},
                {}};
  kernel.arguments.insert(kernel.arguments.end(), spec.step ? 4 : 2, int32Argument());
  kernel.arguments.insert(kernel.arguments.end(),
                          {bufferArgument(2, ElementType::BF16), bufferArgument(1),
                           bufferArgument(2), bufferArgument(1)});
  return kernel;
}

template <>
Expected<Kernel> generateKernel(const PairSoftmaxSpec &spec, const KernelTarget &target) {
  const Kernel kernel = describeKernel(spec, target);
  if (target.pairProducts == PairProducts::None)
    return createStringError("kernel " + kernel.symbol + ": the target multiplies no pairs");
  return PairSoftmaxBuilder(spec, target, kernel).build();
}

} // namespace attune::cpu
