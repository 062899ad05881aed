//===- InspectKernelsTest.cpp - Key padding and classes of masks ----------===//

#include "GuardedArray.h"
#include "KernelTest.h"
#include <cmath>

namespace attune::cpu::test {
namespace {

class InspectKernels : public testing::TestWithParam<NamedTarget> {
protected:
  const KernelTarget &target = GetParam().target;
};

INSTANTIATE_TEST_SUITE_P(Host, InspectKernels, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

/// Values of a key padding mask, hiding and not.
template <typename T> T paddingValue(bool hidden, int i) {
  if constexpr (std::is_same_v<T, float>) {
    const float visible[] = {0.0f, -3.4028235e38f, NAN, INFINITY, 1.5f};
    return hidden ? -INFINITY : visible[i % 5];
  } else {
    const uint8_t hiding[] = {1, 128, 255};
    return hidden ? hiding[i % 3] : 0;
  }
}

//===----------------------------------------------------------------------===//
// KeyRange
//===----------------------------------------------------------------------===//

template <typename T> void checkKeyRange(ElementType type, const KernelTarget &target) {
  JitKernel keyRange = makeKernel(KeyRangeSpec{type}, target);
  for (int count : {0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 100}) {
    auto check = [&](int first, int end, int hole) {
      GuardedArray<T> padding(count);
      for (int i = 0; i < count; ++i)
        padding[i] = paddingValue<T>(i < first || i >= end || i == hole, i);
      GuardedArray<int32_t> range(2);
      keyRange(Buffer(padding.data(), {count}).get(), Buffer(range.data(), {2}).get());
      ASSERT_EQ(range[0], first == end ? 0 : first) << count << ' ' << first << ' ' << end;
      ASSERT_EQ(range[1], first == end ? 0 : end) << count << ' ' << first << ' ' << end;
    };
    for (int first = 0; first <= count; ++first)
      for (int end = first; end <= count; end += first + 1) {
        check(first, end, -1);
        if (end - first > 2)
          check(first, end, first + 1);
      }
  }
}

TEST_P(InspectKernels, KeyRangeOfBytes) { checkKeyRange<uint8_t>(ElementType::U8, target); }
TEST_P(InspectKernels, KeyRangeOfFloats) { checkKeyRange<float>(ElementType::F32, target); }

//===----------------------------------------------------------------------===//
// Classify
//===----------------------------------------------------------------------===//

TEST_P(InspectKernels, ClassifyLooksAtEveryElement) {
  JitKernel classify = makeKernel(ClassifySpec{}, target);
  for (int rows : {1, 3})
    for (int columns : {1, 5, 15, 16, 17, 31, 32, 48, 63, 64, 100, 128}) {
      const int stride = columns + 7;
      // What lies between the rows is of the other kind.
      auto run = [&](uint8_t fill, uint8_t odd, int row, int column) {
        GuardedArray<uint8_t> mask(rows * stride - 7);
        for (int i = 0; i < rows * stride - 7; ++i)
          mask[i] = i % stride < columns ? fill : odd;
        if (row >= 0)
          mask[row * stride + column] = odd;
        GuardedArray<int32_t> out(2);
        classify(Buffer(mask.data(), {rows, columns}, {stride, 1}).get(),
                 Buffer(out.data(), {2}).get());
        return std::pair<int, int>(out[0], out[1]);
      };
      ASSERT_EQ(run(0, 1, -1, 0), std::pair(1, 1)) << columns;
      ASSERT_EQ(run(255, 0, -1, 0), std::pair(0, 0)) << columns;
      if (rows * columns == 1)
        continue;
      for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column)
          for (uint8_t hidden : {1, 128}) {
            ASSERT_EQ(run(0, hidden, row, column), std::pair(1, 0)) << columns << ' ' << column;
            ASSERT_EQ(run(hidden, 0, row, column), std::pair(1, 0)) << columns << ' ' << column;
          }
    }
}

TEST_P(InspectKernels, ClassifyOfNothing) {
  JitKernel classify = makeKernel(ClassifySpec{}, target);
  for (auto [rows, columns] : {std::pair(0, 20), std::pair(3, 0), std::pair(0, 0)}) {
    GuardedArray<uint8_t> mask(0);
    GuardedArray<int32_t> out(2);
    classify(Buffer(mask.data(), {rows, columns}).get(), Buffer(out.data(), {2}).get());
    EXPECT_EQ(out[0], 0);
    EXPECT_EQ(out[1], 1);
  }
}

//===----------------------------------------------------------------------===//
// PackRows with padding
//===----------------------------------------------------------------------===//

template <typename T> void checkPaddedRows(ElementType type, const KernelTarget &target) {
  JitKernel pack = makeKernel(PackRowsSpec{ElementType::F32, ElementType::F32, type}, target);
  for (int rows : {0, 1, 5})
    for (int columns : {1, 7, 16, 64, 80})
      for (int padded : {columns, columns + 3, columns + 16}) {
        Floats values = randomFloats(rows * columns, 31);
        for (int r = 0; r < rows; ++r)
          values[r * columns] = r % 2 ? NAN : INFINITY;
        GuardedArray<float> in(values), out(rows * padded);
        GuardedArray<T> padding(rows);
        for (int r = 0; r < rows; ++r)
          padding[r] = paddingValue<T>(r == 1 || r == 4, r);
        pack(Buffer(in.data(), {rows, columns}).get(), Buffer(padding.data(), {rows}).get(),
             columns, Buffer(out.data(), {rows, padded}).get());
        for (int r = 0; r < rows; ++r)
          for (int c = 0; c < padded; ++c) {
            const bool zero = r == 1 || r == 4 || c >= columns;
            const float expected = zero ? 0.0f : in[r * columns + c];
            if (std::isnan(expected))
              ASSERT_TRUE(std::isnan(out[r * padded + c]));
            else
              ASSERT_EQ(out[r * padded + c], expected) << columns << ' ' << r << ' ' << c;
          }
      }
}

TEST_P(InspectKernels, PackRowsHidesByBytes) { checkPaddedRows<uint8_t>(ElementType::U8, target); }
TEST_P(InspectKernels, PackRowsHidesByFloats) { checkPaddedRows<float>(ElementType::F32, target); }

} // namespace
} // namespace attune::cpu::test
