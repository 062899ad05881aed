//===- DenseKernelsTest.cpp - Packing, accumulating, storing --------------===//

#include "GuardedArray.h"
#include "KernelTest.h"
#include <cmath>
#include <set>

namespace attune::cpu::test {
namespace {

class DenseKernels : public testing::TestWithParam<NamedTarget> {
protected:
  const KernelTarget &target = GetParam().target;
  const int lanes = target.vectorLanes;
  const RegisterBlock block = GetParam().block;
};

INSTANTIATE_TEST_SUITE_P(Host, DenseKernels, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

const float guard = 12345.0f;

TEST_P(DenseKernels, FillWritesItsRowOnly) {
  JitKernel fill = makeKernel(FillSpec{}, target);
  for (int length : {0, 1, 3, 16, 37, 100}) {
    Floats out(length + 8, guard);
    fill(-INFINITY, Buffer(out.data(), {length}).get());
    for (int i = 0; i < length + 8; ++i)
      EXPECT_EQ(out[i], i < length ? -INFINITY : guard) << length << ' ' << i;
  }
}

TEST_P(DenseKernels, PackPanelTransposesAndPads) {
  const int width = 2 * lanes;
  JitKernel pack = makeKernel(PackPanelSpec{width}, target);
  for (int count : {1, 3, width - 1, width})
    for (int depth : {1, 3, 8, 33, 80, 97}) {
      const int stride = depth + 5;
      // The last row ends with the allocation: a sanitizer would see a read beyond it.
      Floats in = randomFloats(std::max(count * stride - 5, 0), 1);
      Floats panel(width * depth + 16, guard);
      pack(Buffer(in.data(), {count, depth}, {stride, 1}).get(), count,
           Buffer(panel.data(), {depth, width}).get());
      for (int d = 0; d < depth; ++d)
        for (int c = 0; c < width; ++c)
          ASSERT_EQ(panel[d * width + c], c < count ? in[c * stride + d] : 0.0f)
              << count << ' ' << depth << ' ' << d << ' ' << c;
      for (int i = 0; i < 16; ++i)
        ASSERT_EQ(panel[width * depth + i], guard);
    }
}

template <typename T> void checkPackRows(const KernelTarget &target, ElementType type) {
  JitKernel pack = makeKernel(PackRowsSpec{type, type}, target);
  for (int rows : {1, 3})
    for (int columns : {0, 1, 7, 64, 80, 129})
      for (int padding : {0, 1, 16, 70}) {
        const int padded = columns + padding, stride = columns + 3, outStride = padded + 2;
        std::vector<T> in(rows * stride), out(rows * outStride, T(99));
        for (size_t i = 0; i < in.size(); ++i)
          in[i] = T(i % 90 + 1);
        pack(Buffer(in.data(), {rows, columns}, {stride, 1}).get(), columns,
             Buffer(out.data(), {rows, padded}, {outStride, 1}).get());
        for (int r = 0; r < rows; ++r)
          for (int c = 0; c < outStride; ++c)
            ASSERT_EQ(out[r * outStride + c], c < columns  ? in[r * stride + c]
                                              : c < padded ? T(0)
                                                           : T(99))
                << columns << ' ' << padded << ' ' << r << ' ' << c;
      }
}

TEST_P(DenseKernels, PackRowsCopiesAndPadsFloats) {
  checkPackRows<float>(target, ElementType::F32);
}
TEST_P(DenseKernels, PackRowsCopiesAndPadsBytes) {
  checkPackRows<uint8_t>(target, ElementType::U8);
}

void checkAccumulate(const NamedTarget &named, bool rescaled, bool dense, int aColumns = 0) {
  const int panel = named.block.vectors * named.target.vectorLanes;
  for (int panels : {1, 3}) {
    const int columns = panels * panel;
    AccumulateSpec spec{named.block, columns, rescaled, dense};
    spec.aColumns = aColumns;
    JitKernel accumulate = makeKernel(spec, named.target);
    for (int count : {1, 5, 6, 13})
      for (int depth : {0, 1, 2, 33}) {
        const int rows = roundUp(count, named.block.rows), bStride = columns + (dense ? 0 : 7);
        const int aStride = aColumns ? aColumns : depth + 3, aRows = aColumns ? rows : count;
        Floats a = randomFloats(aRows * aStride, 2), b = randomFloats(depth * bStride, 3),
               scale = randomFloats(rows, 4), acc = randomFloats(rows * columns, 5);
        Floats expected = acc;
        for (int r = 0; r < count; ++r)
          for (int c = 0; c < columns; ++c) {
            double sum = acc[r * columns + c] * double(rescaled ? scale[r] : 1);
            for (int k = 0; k < depth; ++k)
              sum += double(a[r * aStride + k]) * b[k * bStride + c];
            expected[r * columns + c] = static_cast<float>(sum);
          }
        Buffer bufferA(a.data(), {count, depth}, {aStride, 1});
        Buffer bufferB(b.data(), {depth, columns}, {bStride, 1});
        Buffer factor(scale.data(), {rows}), in(acc.data(), {rows, columns}),
            out(acc.data(), {rows, columns});
        if (rescaled)
          accumulate(bufferA.get(), bufferB.get(), factor.get(), in.get(), count, depth, out.get());
        else
          accumulate(bufferA.get(), bufferB.get(), in.get(), count, depth, out.get());
        for (int i = 0; i < count * columns; ++i)
          ASSERT_NEAR(acc[i], expected[i], 1e-5) << count << ' ' << depth << ' ' << i;
      }
  }
}

TEST_P(DenseKernels, AccumulateAddsProducts) { checkAccumulate(GetParam(), false, true); }
TEST_P(DenseKernels, AccumulateRescales) { checkAccumulate(GetParam(), true, true); }
TEST_P(DenseKernels, AccumulateTakesStridedRows) { checkAccumulate(GetParam(), true, false); }
TEST_P(DenseKernels, AccumulateReadsWholeTiles) { checkAccumulate(GetParam(), true, true, 48); }

TEST_P(DenseKernels, AccumulateStartsWithZeros) {
  AccumulateSpec spec{block, block.vectors * lanes};
  spec.fresh = true;
  JitKernel accumulate = makeKernel(spec, target);
  const int rows = block.rows, columns = block.vectors * lanes;
  for (int depth : {0, 1, 9}) {
    Floats a = randomFloats(rows * depth, 2), b = randomFloats(depth * columns, 3),
           acc(rows * columns, NAN);
    accumulate(Buffer(a.data(), {rows, depth}).get(), Buffer(b.data(), {depth, columns}).get(),
               rows, depth, Buffer(acc.data(), {rows, columns}).get());
    for (int i = 0; i < rows * columns; ++i) {
      double expected = 0;
      for (int k = 0; k < depth; ++k)
        expected += double(a[i / columns * depth + k]) * b[k * columns + i % columns];
      ASSERT_NEAR(acc[i], expected, 1e-5) << depth << ' ' << i;
    }
  }
}

/// Jobs 0 and 2 are lines of the same rows, job 1 is none. Two calls that share the blocks of a
/// head fetch each line of each row once; what they fetch else they also read.
TEST_P(DenseKernels, AccumulateFetchesAhead) {
  const int columns = block.vectors * lanes, blocks = 3, depth = 12, stride = 40, spread = 2;
  const int rows = blocks * block.rows;
  AccumulateSpec spec{block, columns, /*rescaled=*/true};
  spec.aColumns = 48;
  spec.fetchAhead = true;
  JitKernel accumulate = makeKernel(spec, target);
  Floats a = randomFloats(rows * 48, 2), b = randomFloats(depth * columns, 3),
         scale = randomFloats(rows, 4), acc = randomFloats(rows * columns, 5);
  const uint64_t far = (uint64_t(5) << 32) + 4096;
  auto low = [](uint64_t address) { return static_cast<int32_t>(address); };
  std::vector<int32_t> plan{low(far), 5, stride, 0, 0, stride, low(far + 64), 5, stride};
  std::vector<uint64_t> fetched;
  fetchedAddresses = &fetched;
  for (int firstJob : {0, blocks}) {
    Buffer in(acc.data(), {rows, columns}), out(acc.data(), {rows, columns});
    accumulate(Buffer(a.data(), {rows, depth}, {48, 1}).get(),
               Buffer(b.data(), {depth, columns}).get(), Buffer(scale.data(), {rows}).get(),
               in.get(), rows, depth, Buffer(plan.data(), {3, 3}).get(), firstJob, /*firstRow=*/7,
               spread, addressOf(a.data()), out.get());
  }
  fetchedAddresses = nullptr;
  std::multiset<uint64_t> lines;
  for (uint64_t address : fetched) {
    const bool isRead = address >= addressOf(a.data()) && address < addressOf(a.data() + a.size());
    if (!isRead)
      lines.insert(address);
  }
  std::multiset<uint64_t> expected;
  for (int row = 7; row < 7 + depth; ++row)
    for (uint64_t line : {far, far + 64})
      expected.insert(line + row * stride);
  EXPECT_EQ(lines, expected);
}

TEST_P(DenseKernels, FinishNormalisesAndTreatsMaskedRows) {
  for (bool zero : {true, false})
    for (int columns : {1, 3, lanes, lanes + 1, 80}) {
      const int padded = roundUp(columns, 2 * lanes), count = 5, stride = columns + 1;
      JitKernel finish = makeKernel(FinishSpec{columns, padded, zero}, target);
      Floats acc = randomFloats(6 * padded, 6), sums(6 * lanes, 0.25f);
      std::fill_n(sums.begin() + 2 * lanes, lanes, 0.0f);
      acc[3 * padded] = NAN;
      Floats out(count * stride + 1, guard);
      finish(Buffer(acc.data(), {6, padded}).get(), Buffer(sums.data(), {6, lanes}).get(), count,
             Buffer(out.data(), {count, columns}, {stride, 1}).get());
      for (int r = 0; r < count; ++r)
        for (int c = 0; c < stride; ++c) {
          const float value = out[r * stride + c];
          if (c == columns)
            ASSERT_EQ(value, guard);
          else if (r == 2)
            ASSERT_TRUE(zero ? value == 0 : std::isnan(value));
          else if (r == 3 && c == 0)
            ASSERT_TRUE(std::isnan(value));
          else
            ASSERT_NEAR(value, acc[r * padded + c] / (0.25f * lanes), 1e-6);
        }
    }
}

TEST_P(DenseKernels, EmitStoresCountedRowsAndColumns) {
  const int padded = 4 * lanes;
  for (bool biased : {true, false}) {
    JitKernel emit = makeKernel(EmitSpec{padded, biased}, target);
    for (int rows : {0, 1, 5})
      for (int columns : {1, lanes - 1, lanes, padded - 3, padded}) {
        const int stride = columns + 9;
        Floats acc = randomFloats(6 * padded, 7), bias = randomFloats(padded, 8);
        Floats out(6 * stride, guard);
        Buffer in(acc.data(), {6, padded}), biasBuffer(bias.data(), {padded});
        Buffer result(out.data(), {rows, columns}, {stride, 1});
        if (biased)
          emit(in.get(), biasBuffer.get(), result.get());
        else
          emit(in.get(), result.get());
        for (int i = 0; i < 6 * stride; ++i) {
          const int r = i / stride, c = i % stride;
          const bool inside = r < rows && c < columns;
          ASSERT_EQ(out[i], inside ? acc[r * padded + c] + (biased ? bias[c] : 0.0f) : guard);
        }
      }
  }
}

/// A part of an accumulator as EmitPackedSpec takes it: `count` x `columns` elements from `key` on,
/// and zeros up to `end` and `depth`.
struct Part {
  int key, count, end, columns, depth;
};

/// Stores a part between others, of which nothing may change. The part's last row ends with memory.
void checkEmitPacked(const EmitPackedSpec &spec, const JitKernel &emit, const Part &part) {
  const int stride = part.columns + 3, width = static_cast<int>(spec.panelWidth);
  const Floats values = randomFloats(part.count * stride - 3, 9),
               bias = randomFloats(part.columns, 10);
  GuardedArray<float> acc(values), added(bias);
  auto element = [&](int key, int column) {
    const int row = key - part.key;
    if (row < 0 || key >= part.end || column >= part.depth)
      return guard;
    if (row >= part.count || column >= part.columns)
      return 0.0f;
    return values[row * stride + column] + (spec.biased ? bias[column] : 0.0f);
  };
  // Panels have two more lines of depth, rows two more columns.
  const int panels = 4, outDepth = part.depth + 2;
  Floats out(width ? panels * outDepth * width : (part.end + 2) * outDepth, guard);
  Buffer in(acc.data(), {part.count, part.columns}, {stride, 1}),
      biasRow(added.data(), {part.columns});
  if (width) {
    Buffer to(out.data(), {panels, part.depth, width}, {outDepth * width, width, 1});
    if (spec.biased)
      emit(in.get(), biasRow.get(), part.key, part.end, to.get());
    else
      emit(in.get(), part.key, part.end, to.get());
  } else {
    Buffer to(out.data() + part.key * outDepth, {part.end - part.key, part.depth}, {outDepth, 1});
    if (spec.biased)
      emit(in.get(), biasRow.get(), to.get());
    else
      emit(in.get(), to.get());
  }
  for (int place = 0; place < int(out.size()); ++place) {
    const int line = width ? place / width : place / outDepth;
    const int key = width ? line / outDepth * width + place % width : line;
    const int column = width ? line % outDepth : place % outDepth;
    ASSERT_EQ(out[place], element(key, column))
        << part.count << " x " << part.columns << " at " << part.key << " to " << part.end << ": "
        << key << ", " << column;
  }
}

TEST_P(DenseKernels, EmitPackedLeavesWhatLiesBeside) {
  const int width = 2 * lanes;
  for (int panelWidth : {0, width})
    for (bool biased : {false, true}) {
      const EmitPackedSpec spec{biased, panelWidth};
      const JitKernel emit = makeKernel(spec, target);
      for (int key : {0, 1, lanes - 1, lanes, width - 1, width + 1})
        for (int count : {1, 2, lanes - 1, lanes, lanes + 1, 2 * lanes + 1})
          for (int columns : {1, lanes - 1, lanes, 2 * lanes, 2 * lanes + 3}) {
            checkEmitPacked(spec, emit, {key, count, key + count, columns, columns});
            checkEmitPacked(
                spec, emit,
                {key, count, roundUp(key + count, lanes), columns, roundUp(columns, lanes)});
          }
    }
}

} // namespace
} // namespace attune::cpu::test
