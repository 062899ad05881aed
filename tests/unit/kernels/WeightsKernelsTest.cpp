//===- WeightsKernelsTest.cpp - Softmax over whole rows -------------------===//

#include "ScoringProblem.h"
#include <bit>
#include <cmath>

namespace attune::cpu::test {
namespace {

const float guard = 12345.0f;
const float infinity = std::numeric_limits<float>::infinity();

class WeightsKernels : public testing::TestWithParam<NamedTarget> {
protected:
  const KernelTarget &target = GetParam().target;
  const int lanes = target.vectorLanes;

  void testLogits(const Problem &problem);
  void testSoftmax(const JitKernel &softmax, int count, int columns);
};

INSTANTIATE_TEST_SUITE_P(Host, WeightsKernels, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

//===----------------------------------------------------------------------===//
// Logits
//===----------------------------------------------------------------------===//

/// Several key tiles side by side in rows that are longer than they are.
void WeightsKernels::testLogits(const Problem &problem) {
  SCOPED_TRACE(problem.name);
  JitKernel kernel = makeKernel(problem.spec<LogitsSpec>(GetParam()), target);
  ScoringInputs inputs(problem, GetParam());
  const int rows = inputs.rows, columns = inputs.columns;
  const int stride = problem.tiles * columns + 3 * lanes;
  Floats s(rows * stride, guard), maxIn(rows, -infinity), maxOut(rows);
  std::vector<double> expectedMax(problem.count, -INFINITY);
  std::vector<bool> poisoned(problem.count);
  for (int tile = 0; tile < problem.tiles; ++tile) {
    inputs.firstKey = 32 + tile * columns;
    float *start = s.data() + tile * columns;
    Buffer bs(start, {rows, columns}, {stride, 1});
    inputs.call(kernel, std::tuple(Buffer(maxIn.data(), {rows}).get()),
                std::tuple(bs.get(), Buffer(maxOut.data(), {rows}).get()));
    for (int row = 0; row < problem.count; ++row) {
      const std::vector<double> t = inputs.expectedScores(row);
      for (int c = 0; c < columns; ++c) {
        const float actual = start[row * stride + c];
        if (std::isnan(t[c]))
          ASSERT_TRUE(std::isnan(actual)) << row << ' ' << c;
        else if (std::isinf(t[c]))
          ASSERT_EQ(actual, t[c]) << row << ' ' << c;
        else
          ASSERT_NEAR(actual, t[c], problem.tolerance * (1 + std::abs(t[c]))) << row << ' ' << c;
        poisoned[row] = poisoned[row] || std::isnan(t[c]);
        expectedMax[row] = t[c] > expectedMax[row] ? t[c] : expectedMax[row];
      }
      if (std::isinf(expectedMax[row]))
        ASSERT_EQ(maxOut[row], expectedMax[row]);
      else if (!poisoned[row])
        ASSERT_NEAR(maxOut[row], expectedMax[row],
                    problem.tolerance * (1 + std::abs(expectedMax[row])));
    }
    std::swap(maxIn, maxOut);
  }
  for (int row = 0; row < rows; ++row)
    for (int c = problem.tiles * columns; c < stride; ++c)
      ASSERT_EQ(s[row * stride + c], guard);
}

TEST_P(WeightsKernels, LogitsOfEveryCountAndDepth) {
  for (int count = 1; count <= 13; ++count)
    testLogits({.name = "count", .count = count});
  for (int depth : {1, 3, 80})
    testLogits({.name = "depth", .depth = depth});
}

TEST_P(WeightsKernels, LogitsAreScaled) {
  for (double scale : {1.0, 0.0, -0.5, 1e-30})
    testLogits({.name = "scale", .scale = scale});
}

TEST_P(WeightsKernels, LogitsUnderMasks) {
  testLogits({.name = "causal", .keep = causal});
  for (int limit : {0, 5, 33, 50, 1000})
    testLogits({.name = "below", .keep = belowScalar, .scalars = {limit}});
  testLogits({.name = "bytes", .keep = byteMask, .operands = {{ElementType::U8}}});
  testLogits({.name = "bias", .score = addBias, .operands = {{ElementType::F32}}});
}

TEST_P(WeightsKernels, LogitsWithOneRowForAllQueries) {
  testLogits({.name = "bytes", .keep = byteMask, .operands = {{ElementType::U8, true}}});
  testLogits({.name = "bias", .score = addBias, .operands = {{ElementType::F32, true}}});
  using O = RegionOpcode;
  const RegionProgram addSecond{{{O::Score, {}}, {O::TileElement, {}, 1}, {O::AddF, {0, 1}}}};
  testLogits({.name = "mask and padding",
              .score = addSecond,
              .keep = byteMask,
              .operands = {{ElementType::U8}, {ElementType::F32, true}}});
}

TEST_P(WeightsKernels, LogitsKeepNaNAndInfinities) {
  using O = RegionOpcode;
  // log(key index - 40): NaN below 40, -inf at 40.
  const RegionProgram logarithm{{{O::KeyIndex, {}},
                                 {O::IntConstant, {}, 0, 40},
                                 {O::SubI, {0, 1}},
                                 {O::IntToFloat, {2}},
                                 {O::LogF, {3}}}};
  testLogits({.name = "log", .score = logarithm});
}

/// Products that another kernel has left in memory: without scale and regions only maxima are new.
TEST_P(WeightsKernels, LogitsOfProducts) {
  for (double scale : {1.0, 0.5}) {
    Problem problem{.name = "products", .scale = scale};
    auto spec = problem.spec<LogitsSpec>(GetParam());
    spec.hasProducts = true;
    EXPECT_EQ(storesScores(spec), scale != 1);
    JitKernel kernel = makeKernel(spec, target);
    const int rows = 2 * spec.block.rows, count = rows - 1;
    const int columns = problem.panels * spec.block.vectors * lanes, stride = columns + lanes;
    Floats products = randomFloats(rows * stride, 5), s = products;
    Floats maxIn(rows, -0.25f), maxOut(rows, guard);
    products[stride + 3] = s[stride + 3] = -infinity;
    Buffer bs(s.data(), {rows, columns}, {stride, 1}), bIn(maxIn.data(), {rows}),
        bOut(maxOut.data(), {rows});
    if (scale == 1)
      kernel(bs.get(), bIn.get(), count, problem.panels, 0, 0, 0, 0, bOut.get());
    else
      kernel(bs.get(), bIn.get(), count, problem.panels, 0, 0, 0, 0, bs.get(), bOut.get());
    for (int row = 0; row < count; ++row) {
      float expected = maxIn[row];
      for (int c = 0; c < stride; ++c) {
        const float product = products[row * stride + c];
        const float t = c < columns ? product * static_cast<float>(scale) : product;
        ASSERT_EQ(s[row * stride + c], t) << row << ' ' << c;
        expected = c < columns ? std::max(expected, t) : expected;
      }
      ASSERT_EQ(maxOut[row], expected);
    }
  }
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// Row 1 is hidden altogether, row 2 in part; row 3 has a NaN, row 4 finite minima, row 5 +inf.
void WeightsKernels::testSoftmax(const JitKernel &softmax, int count, int columns) {
  const int stride = columns + 2 * lanes;
  Floats t = randomFloats(8 * stride, 11), max(8, guard), sum(8 * lanes, guard);
  for (int c = 0; c < columns; ++c) {
    t[stride + c] = -infinity;
    t[2 * stride + c] = c % 3 ? -infinity : t[2 * stride + c];
    t[4 * stride + c] = -3.4028235e38f;
  }
  if (columns) {
    t[3 * stride + columns / 2] = NAN;
    t[5 * stride + columns / 2] = infinity;
  }
  for (int r = 0; r < count; ++r) {
    max[r] = -infinity;
    for (int c = 0; c < columns; ++c)
      max[r] = t[r * stride + c] > max[r] ? t[r * stride + c] : max[r];
  }
  Floats p = t;
  Buffer in(p.data(), {count, columns}, {stride, 1}), out(p.data(), {count, columns}, {stride, 1});
  softmax(in.get(), Buffer(max.data(), {8}).get(), out.get(), Buffer(sum.data(), {8, lanes}).get());
  for (int r = 0; r < count; ++r) {
    std::vector<double> sums(lanes);
    for (int c = 0; c < stride; ++c) {
      const float actual = p[r * stride + c], logit = t[r * stride + c];
      if (c >= columns) {
        ASSERT_EQ(actual, logit);
        continue;
      }
      const double expected = std::exp(double(logit) - (max[r] == -infinity ? 0 : double(max[r])));
      if (std::isnan(expected))
        ASSERT_TRUE(std::isnan(actual)) << r << ' ' << c;
      else if (logit == -infinity)
        ASSERT_EQ(actual, 0.0f) << r << ' ' << c;
      else
        ASSERT_NEAR(actual, expected, 1e-6) << r << ' ' << c;
      sums[c % lanes] += expected;
    }
    for (int lane = 0; lane < lanes; ++lane)
      if (std::isnan(sums[lane]))
        ASSERT_TRUE(std::isnan(sum[r * lanes + lane]));
      else
        ASSERT_NEAR(sum[r * lanes + lane], sums[lane], 1e-6 * (1 + columns / lanes));
  }
  for (int r = count; r < 8; ++r) {
    ASSERT_EQ(sum[r * lanes], guard);
    ASSERT_TRUE(std::equal(&t[r * stride], &t[(r + 1) * stride - 1], &p[r * stride],
                           [](float a, float b) { return a == b || std::isnan(a); }));
  }
}

TEST_P(WeightsKernels, SoftmaxOfEveryCountAndWidth) {
  JitKernel softmax = makeKernel(SoftmaxSpec{}, target);
  for (int count : {0, 1, 2, 7})
    for (int vectors : {0, 1, 2, 3, 4, 5, 17})
      testSoftmax(softmax, count, vectors * lanes);
}

TEST_P(WeightsKernels, SoftmaxScales) {
  JitKernel softmax = makeKernel(SoftmaxSpec{.scale = 0.125}, target);
  const int columns = 3 * lanes;
  Floats t = randomFloats(columns, 12), p = t, max{2.0f}, sum(lanes);
  Buffer row(p.data(), {1, columns});
  softmax(row.get(), Buffer(max.data(), {1}).get(), row.get(),
          Buffer(sum.data(), {1, lanes}).get());
  for (int c = 0; c < columns; ++c)
    ASSERT_NEAR(p[c], std::exp((double(t[c]) - 2) * 0.125), 1e-6);
}

/// The copy in bfloat16, which lies in rows of its own stride, is that of the float32 numbers.
TEST_P(WeightsKernels, SoftmaxRounds) {
  JitKernel softmax = makeKernel(SoftmaxSpec{.exp2Degree = 3, .rounds = true}, target);
  const int count = 3, columns = 5 * lanes, stride = columns + 2 * lanes;
  Floats p = randomFloats(count * columns, 13), max(count, 1.0f), sum(count * lanes);
  std::vector<uint16_t> rounded(count * stride, 0x1234);
  p[lanes] = -infinity;
  p[columns + 1] = NAN;
  Buffer rows(p.data(), {count, columns}),
      copies(rounded.data(), halide_type_t(halide_type_bfloat, 16), {count, columns}, {stride, 1});
  softmax(rows.get(), Buffer(max.data(), {count}).get(), rows.get(), copies.get(),
          Buffer(sum.data(), {count, lanes}).get());
  for (int r = 0; r < count; ++r)
    for (int c = 0; c < stride; ++c) {
      const uint16_t found = rounded[r * stride + c];
      if (c >= columns) {
        ASSERT_EQ(found, 0x1234);
        continue;
      }
      const float exact = p[r * columns + c], copy = std::bit_cast<float>(uint32_t(found) << 16);
      if (std::isnan(exact))
        ASSERT_TRUE(std::isnan(copy)) << r << ' ' << c;
      else
        ASSERT_NEAR(copy, exact, exact / 256) << r << ' ' << c;
    }
}

//===----------------------------------------------------------------------===//
// EmitWeights
//===----------------------------------------------------------------------===//

void checkEmitWeights(const EmitWeightsSpec &spec, const KernelTarget &target) {
  const int lanes = target.vectorLanes, rows = 5;
  JitKernel emit = makeKernel(spec, target);
  for (int visited : {0, 1, 3, lanes - 1, lanes, 2 * lanes + 1, 70})
    for (int hidden : {0, 1, lanes, lanes + 3}) {
      const int columns = visited + hidden, stride = columns + 5;
      GuardedArray<float> p(randomFloats(rows * visited, 21));
      Floats sums(rows * lanes, 0.25f), out = randomFloats(rows * stride, 22);
      for (int c = 0; c < visited; ++c)
        p[2 * visited + c] = 0;
      std::fill_n(sums.begin() + 2 * lanes, lanes, 0.0f); // row 2 is hidden
      sums[3 * lanes + 1] = NAN;                          // row 3 has a NaN
      GuardedArray<float> sumsEnd(sums), target(std::vector<float>(out.begin(), out.end() - 5));
      Buffer bp(p.data(), {rows, visited}), bs(sumsEnd.data(), {rows, lanes});
      Buffer previous(target.data(), {rows, columns}, {stride, 1});
      Buffer result(target.data(), {rows, columns}, {stride, 1});
      if (spec.add)
        emit(bp.get(), bs.get(), previous.get(), visited, result.get());
      else
        emit(bp.get(), bs.get(), visited, result.get());
      for (int i = 0; i < rows * stride - 5; ++i) {
        const int r = i / stride, c = i % stride;
        const double base = spec.add ? out[i] : 0;
        if (c >= columns)
          ASSERT_EQ(target[i], out[i]);
        else if ((r == 2 && !spec.zeroMaskedRows) || (r == 3 && c < visited))
          ASSERT_TRUE(std::isnan(target[i])) << r << ' ' << c;
        else if (r == 2 || c >= visited)
          ASSERT_EQ(target[i], base) << r << ' ' << c;
        else
          ASSERT_NEAR(target[i], base + p[r * visited + c] / (0.25 * lanes) * spec.factor, 1e-6)
              << r << ' ' << c;
      }
    }
}

TEST_P(WeightsKernels, EmitWeightsNormalises) { checkEmitWeights({}, target); }
TEST_P(WeightsKernels, EmitWeightsAdds) { checkEmitWeights({.add = true, .factor = 0.25}, target); }
TEST_P(WeightsKernels, EmitWeightsScales) { checkEmitWeights({.factor = 1.0 / 3}, target); }
TEST_P(WeightsKernels, EmitWeightsMakesMaskedRowsNaN) {
  checkEmitWeights({.zeroMaskedRows = false}, target);
  checkEmitWeights({.add = true, .zeroMaskedRows = false, .factor = 0.5}, target);
}

} // namespace
} // namespace attune::cpu::test
