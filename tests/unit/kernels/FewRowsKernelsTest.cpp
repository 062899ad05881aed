//===- FewRowsKernelsTest.cpp - Products and splits of a few rows ---------===//

#include "GuardedArray.h"
#include "KernelTest.h"
#include <cmath>

namespace attune::cpu::test {
namespace {

class FewRowsKernels : public testing::TestWithParam<NamedTarget> {
protected:
  const KernelTarget &target = GetParam().target;
  const int lanes = target.vectorLanes;
};

INSTANTIATE_TEST_SUITE_P(Host, FewRowsKernels, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

const float infinity = std::numeric_limits<float>::infinity();

/// acc = acc * factor + a . b, with b of float32 or bfloat16.
void accumulates(const JitKernel &accumulate, int columns, int count, int depth, bool isBFloat16) {
  const int aStride = depth + 5, bStride = columns + 3;
  Floats a = randomFloats(count * aStride, 1), factor = randomFloats(count, 2),
         acc = randomFloats(count * columns, 3);
  // The last row ends with the allocation.
  GuardedArray<float> b(randomFloats(std::max(depth * bStride - 3, 0), 4));
  const size_t size = isBFloat16 ? std::max(depth * bStride - 3, 0) : 0;
  GuardedArray<uint16_t> halves(cutToBFloat16(b, size));
  Floats expected = acc;
  for (int r = 0; r < count; ++r)
    for (int c = 0; c < columns; ++c) {
      double sum = double(acc[r * columns + c]) * factor[r];
      for (int k = 0; k < depth; ++k)
        sum += double(a[r * aStride + k]) * b[k * bStride + c];
      expected[r * columns + c] = static_cast<float>(sum);
    }
  const halide_type_t floatType{halide_type_float, 32, 1};
  void *values = isBFloat16 ? static_cast<void *>(halves.data()) : b.data();
  Buffer in(acc.data(), {count, columns}), out(acc.data(), {count, columns}),
      right(values, isBFloat16 ? bfloat16Type : floatType, {depth, columns}, {bStride, 1});
  accumulate(Buffer(a.data(), {count, depth}, {aStride, 1}).get(), right.get(),
             Buffer(factor.data(), {count}).get(), in.get(), count, depth, addressOf(values),
             out.get());
  for (int i = 0; i < count * columns; ++i)
    ASSERT_NEAR(acc[i], expected[i], 1e-5) << columns << ' ' << count << ' ' << depth;
}

TEST_P(FewRowsKernels, AccumulateAddsProducts) {
  for (ElementType type : {ElementType::F32, ElementType::BF16})
    for (int columns : {1, 3, 8, 15, 16, 17, 32, 33, 64, 80, 127, 128}) {
      JitKernel accumulate = makeKernel(AccumulateRowsSpec{columns, type}, target);
      for (int count : {1, 2, 8, 9})
        for (int depth : {0, 1, 7, 8, 9, 40})
          accumulates(accumulate, columns, count, depth, type == ElementType::BF16);
    }
}

/// Parts of `count` rows: the first saw no key in row 0, and none saw any in the last row.
struct Parts {
  Parts(int parts, int count, int columns, int lanes)
      : acc(randomFloats(parts * count * columns, 5)), sums(randomFloats(parts * count * lanes, 6)),
        max(randomFloats(parts * count, 7)) {
    for (float &sum : sums)
      sum += 1.5f;
    for (int part = 0; part < parts; ++part)
      for (int row = 0; row < count; ++row)
        if ((part == 0 && row == 0) || row == count - 1)
          hide(part * count + row, columns, lanes);
  }

  void hide(int row, int columns, int lanes) {
    max[row] = -infinity;
    std::fill_n(acc.begin() + row * columns, columns, 0.0f);
    std::fill_n(sums.begin() + row * lanes, lanes, 0.0f);
  }

  Floats acc, sums, max;
};

TEST_P(FewRowsKernels, PartsAreSavedAndMerged) {
  for (int columns : {1, 3, lanes, lanes + 1, 64, 80}) {
    JitKernel save = makeKernel(SaveSpec{columns}, target),
              merge = makeKernel(MergeSpec{columns}, target);
    for (int parts : {0, 1, 2, 5})
      for (int count : {1, 2, 8}) {
        Parts in(parts, count, columns, lanes);
        Floats partial(parts * count * columns), stats(parts * count * 2);
        for (int part = 0; part < parts; ++part) {
          const int row = part * count;
          save(Buffer(&in.acc[row * columns], {count, columns}).get(),
               Buffer(&in.max[row], {count}).get(),
               Buffer(&in.sums[row * lanes], {count, lanes}).get(), count,
               Buffer(&partial[row * columns], {count, columns}).get(),
               Buffer(&stats[row * 2], {count, 2}).get());
        }
        Floats acc(count * columns, 9), max(count, 9), sum(count * lanes, 9);
        merge(Buffer(partial.data(), {parts, count, columns}).get(),
              Buffer(stats.data(), {parts, count, 2}).get(), parts, count,
              Buffer(acc.data(), {count, columns}).get(), Buffer(max.data(), {count}).get(),
              Buffer(sum.data(), {count, lanes}).get());
        for (int row = 0; row < count; ++row) {
          float expectedMax = -infinity;
          for (int part = 0; part < parts; ++part)
            expectedMax = std::max(expectedMax, in.max[part * count + row]);
          ASSERT_EQ(max[row], expectedMax);
          double expectedSum = 0, actualSum = 0;
          std::vector<double> expected(columns);
          for (int part = 0; part < parts; ++part) {
            const int at = part * count + row;
            const double factor =
                in.max[at] == -infinity ? 0 : std::exp(double(in.max[at]) - expectedMax);
            for (int lane = 0; lane < lanes; ++lane)
              expectedSum += factor * in.sums[at * lanes + lane];
            for (int c = 0; c < columns; ++c)
              expected[c] += factor * in.acc[at * columns + c];
          }
          for (int lane = 0; lane < lanes; ++lane)
            actualSum += sum[row * lanes + lane];
          ASSERT_NEAR(actualSum, expectedSum, 1e-5 * (1 + expectedSum));
          for (int c = 0; c < columns; ++c)
            ASSERT_NEAR(acc[row * columns + c], expected[c], 1e-5) << columns << ' ' << parts;
        }
      }
  }
}

TEST_P(FewRowsKernels, ANaNInAPartReachesItsRowAlone) {
  const int columns = 2 * lanes;
  JitKernel merge = makeKernel(MergeSpec{columns}, target);
  Floats partial(2 * 2 * columns, 1), stats{0, 1, 0, 1, 2, NAN, 0, 1};
  partial[2 * columns] = NAN;
  Floats acc(2 * columns), max(2), sum(2 * lanes);
  merge(Buffer(partial.data(), {2, 2, columns}).get(), Buffer(stats.data(), {2, 2, 2}).get(), 2, 2,
        Buffer(acc.data(), {2, columns}).get(), Buffer(max.data(), {2}).get(),
        Buffer(sum.data(), {2, lanes}).get());
  EXPECT_TRUE(std::isnan(acc[0]) && std::isnan(sum[0]));
  EXPECT_EQ(acc[columns], 2);
  EXPECT_EQ(sum[lanes], 2);
}

} // namespace
} // namespace attune::cpu::test
