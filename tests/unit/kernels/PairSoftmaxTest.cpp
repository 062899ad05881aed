//===- PairSoftmaxTest.cpp - Online softmax with probabilities in bfloat16 ===//

#include "GuardedArray.h"
#include "PairKernelsTest.h"
#include <cstring>

namespace attune::cpu::test {
namespace {

struct SoftmaxProblem {
  PairSoftmaxSpec spec;
  int count, columns;
  int visible = 0, first = 0; ///< if the specification has limits
  bool inPlace = false;       ///< rows of probabilities begin where those of scores do

  bool sees(int row, int column) const {
    return !spec.step || column < std::min(visible, first + row * *spec.step);
  }
};

/// Row 1 sees no key, row 2 has none hidden and a NaN, others hide every fifth column.
Floats softmaxScores(const SoftmaxProblem &p, int stride) {
  Floats scores = randomFloats(size_t(p.count) * stride, 21);
  for (float &score : scores)
    score *= 8 / static_cast<float>(p.spec.scale);
  for (int row = 0; row < p.count; ++row)
    for (int column = 0; column < p.columns; ++column)
      if (row == 1 || (row != 2 && column % 5 == 3))
        scores[row * stride + column] = -INFINITY;
  if (p.count > 2)
    scores[2 * stride + p.columns / 2] = NAN;
  return scores;
}

void checkSoftmax(const SoftmaxProblem &problem, const JitKernel &softmax) {
  constexpr int lanes = 16, spare = 2;
  const auto &[spec, count, columns, visible, first, inPlace] = problem;
  const int stride = columns + 8, pStride = columns + 4, rows = count + spare;
  const Floats scores = softmaxScores(problem, stride), sumIn = randomFloats(rows * lanes, 22);
  Floats maxIn = randomFloats(rows, 23);
  for (int row = 0; row < rows; row += 3)
    maxIn[row] = -INFINITY;
  const float untouched = 77;
  Floats maxOut(rows, untouched), sumOut(rows * lanes, untouched), rescale(rows, untouched);
  Halves p(size_t(rows) * pStride, toHalf(untouched));
  GuardedArray<float> s(scores);
  Buffer in(s.data(), {count, columns}, {stride, 1}),
      oldMax(const_cast<float *>(maxIn.data()), {rows}),
      oldSum(const_cast<float *>(sumIn.data()), {rows, lanes}),
      out = inPlace ? halvesBuffer(s.data(), {count, columns}, {2 * stride, 1})
                    : halvesBuffer(p.data(), {rows, columns}, {pStride, 1}),
      newMax(maxOut.data(), {rows}), newSum(sumOut.data(), {rows, lanes}),
      factor(rescale.data(), {rows});
  if (spec.step)
    softmax(in.get(), oldMax.get(), oldSum.get(), count, columns, visible, first, out.get(),
            newMax.get(), newSum.get(), factor.get());
  else
    softmax(in.get(), oldMax.get(), oldSum.get(), count, columns, out.get(), newMax.get(),
            newSum.get(), factor.get());
  if (inPlace)
    for (int row = 0; row < count; ++row)
      std::memcpy(p.data() + row * pStride, s.data() + row * stride, columns * sizeof(p[0]));
  for (int row = 0; row < rows; ++row) {
    SCOPED_TRACE(testing::Message() << "row " << row << " of " << count << " x " << columns);
    if (row >= count) {
      EXPECT_EQ(maxOut[row], untouched);
      EXPECT_EQ(sumOut[row * lanes], untouched);
      EXPECT_EQ(rescale[row], untouched);
      EXPECT_EQ(p[row * pStride], toHalf(untouched));
      continue;
    }
    double max = maxIn[row], added = 0, before = 0, sum = 0;
    for (int c = 0; c < columns; ++c)
      if (const double t = double(scores[row * stride + c]) * spec.scale;
          t > max && problem.sees(row, c))
        max = t;
    const double finite = max == -INFINITY ? 0 : max;
    const bool hasNan = row == 2 && problem.sees(row, columns / 2);
    if (!hasNan) // the maximum beside a NaN is any value
      ASSERT_NEAR(std::exp(maxOut[row]), std::exp(max), 1e-4 * std::exp(max)) << "maximum";
    for (int c = 0; c < columns; ++c) {
      const float found = toFloat(p[row * pStride + c]);
      added += found;
      if (!problem.sees(row, c)) {
        ASSERT_EQ(found, 0) << "column " << c;
        continue;
      }
      if (hasNan) {
        ASSERT_EQ(std::isnan(found), c == columns / 2) << "column " << c;
        continue;
      }
      const double expected = std::exp(double(scores[row * stride + c]) * spec.scale - finite);
      ASSERT_NEAR(found, expected, expected * 0x1.1p-8) << "column " << c;
    }
    for (int lane = 0; lane < lanes; ++lane) {
      before += sumIn[row * lanes + lane];
      sum += sumOut[row * lanes + lane];
    }
    if (hasNan)
      ASSERT_TRUE(std::isnan(sum));
    else {
      ASSERT_NEAR(rescale[row], std::exp(maxIn[row] - finite), 1e-6);
      ASSERT_NEAR(sum, before * rescale[row] + added, 1e-4 * (1 + std::abs(added)));
    }
    for (int c = columns; c < pStride; ++c)
      ASSERT_EQ(p[row * pStride + c], toHalf(untouched)) << "column " << c;
  }
}

TEST_P(PairKernels, SoftmaxMatchesFloat64) {
  for (double scale : {1.0, 0.125})
    for (int degree : {3, 6}) {
      const PairSoftmaxSpec spec{scale, degree};
      const JitKernel softmax = makeKernel(spec, target);
      for (int count : {1, 3, 4, 5, 16, 17, 48})
        for (int columns : {16, 32, 48, 128, 176})
          for (bool inPlace : {false, true})
            checkSoftmax({spec, count, columns, 0, 0, inPlace}, softmax);
    }
}

TEST_P(PairKernels, SoftmaxKeepsToTheLimitsOfRows) {
  for (int step : {-1, 0, 1}) {
    const PairSoftmaxSpec spec{0.5, 3, step};
    const JitKernel softmax = makeKernel(spec, target);
    for (int count : {1, 4, 7, 33})
      for (int columns : {16, 64, 160})
        for (int visible : {-5, 0, 1, 15, 16, 17, 63, 64, 65, 130, 1 << 30})
          for (int first : {-(1 << 30), -3, 0, 1, 40, 100, 1 << 30})
            for (bool inPlace : {false, true})
              checkSoftmax({spec, count, columns, visible, first, inPlace}, softmax);
  }
}

} // namespace
} // namespace attune::cpu::test
