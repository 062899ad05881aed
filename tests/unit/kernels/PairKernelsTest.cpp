//===- PairKernelsTest.cpp - bfloat16 in pairs: packing and products ------===//

#include "GuardedArray.h"
#include "KernelTest.h"
#include "attune/attune.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "llvm/TargetParser/Host.h"
#include <cstring>
#include <set>

namespace attune::cpu::test {
namespace {

/// The forms of products that this machine has; there may be none.
std::vector<NamedTarget> pairTargets() {
  std::vector<NamedTarget> result;
  NamedTarget best = hostTargets().back();
  if (!llvm::sys::getHostCPUFeatures().lookup("avx512bf16") || !best.target.avx512)
    return result;
  best.target.pairProducts = PairProducts::Vectors;
  result.push_back({"vectors", best.target, {6, 4}});
  best.target.pairProducts = PairProducts::Tiles;
  if (attune_cpu_features() & ATTUNE_CPU_AMX)
    result.push_back({"tiles", best.target, {6, 4}});
  return result;
}

class PairKernels : public testing::TestWithParam<NamedTarget> {
protected:
  const KernelTarget &target = GetParam().target;
  const bool tiles = target.pairProducts == PairProducts::Tiles;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PairKernels);
INSTANTIATE_TEST_SUITE_P(Host, PairKernels, testing::ValuesIn(pairTargets()),
                         [](const auto &info) { return info.param.name; });

using Halves = std::vector<uint16_t, AlignedAllocator<uint16_t>>;

uint16_t toHalf(float value) {
  llvm::APFloat number(value);
  bool inexact;
  number.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven, &inexact);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}
float toFloat(uint16_t half) { return llvm::bit_cast<float>(uint32_t(half) << 16); }

Halves randomHalves(size_t count, unsigned seed) {
  Halves halves;
  for (float value : randomFloats(count, seed))
    halves.push_back(toHalf(value));
  return halves;
}

Buffer halvesBuffer(void *data, std::vector<int> extents, std::vector<int> strides) {
  return {data, bfloat16Type, extents, strides};
}

uint32_t pairOf(uint16_t first, uint16_t second) { return first | uint32_t(second) << 16; }

/// Packs rows of `type` and compares every pair; `at` gives an element or zero.
void checkPack(const PackPairsSpec &spec, const JitKernel &pack, int count, int columns) {
  const int stride = columns + 3;
  const bool isFloat = spec.type == ElementType::F32;
  const size_t elements = size_t(count) * stride - 3; // the last row ends with the allocation
  const Floats values = randomFloats(elements, 11);
  Halves rounded;
  for (float value : values)
    rounded.push_back(toHalf(value));
  GuardedArray<float> floats(values);
  GuardedArray<uint16_t> halves(rounded);
  Buffer in(isFloat ? static_cast<void *>(floats.data()) : halves.data(),
            isFloat ? halide_type_t(halide_type_float, 32) : bfloat16Type, {count, columns},
            {stride, 1});
  std::vector<uint8_t> hidden(count);
  for (int row = 0; row < count; ++row)
    hidden[row] = spec.padding && row % 3 == 1;
  auto element = [&](int row, int column) -> uint16_t {
    const bool isThere = row < count && column < columns && !hidden[row];
    return isThere ? rounded[row * stride + column] : 0;
  };
  const int outRows = roundUp((spec.panel ? columns : count) + 1, 32) / 2,
            outColumns = roundUp(spec.panel ? count : columns, 16) + (spec.panel ? 0 : 16);
  std::vector<int32_t, AlignedAllocator<int32_t>> out(size_t(outRows) * outColumns, -1);
  Buffer to(out.data(), {outRows, outColumns});
  if (spec.panel)
    pack(in.get(), count, to.get());
  else if (spec.padding)
    pack(in.get(), Buffer(hidden.data(), {count}).get(), to.get());
  else
    pack(in.get(), to.get());
  for (int row = 0; row < outRows; ++row)
    for (int column = 0; column < outColumns; ++column) {
      const uint32_t expected =
          spec.panel ? pairOf(element(column, 2 * row), element(column, 2 * row + 1))
                     : pairOf(element(2 * row, column), element(2 * row + 1, column));
      ASSERT_EQ(uint32_t(out[row * outColumns + column]), expected)
          << count << " x " << columns << " at " << row << ", " << column;
    }
}

TEST_P(PairKernels, PanelsHoldPairsOfColumns) {
  for (ElementType type : {ElementType::F32, ElementType::BF16}) {
    const PackPairsSpec spec{type, /*panel=*/true};
    const JitKernel pack = makeKernel(spec, target);
    for (int count : {1, 2, 15, 16, 17, 33, 64})
      for (int depth : {1, 2, 3, 31, 32, 33, 64, 80})
        checkPack(spec, pack, count, depth);
  }
}

TEST_P(PairKernels, RowsHoldPairsOfRows) {
  for (ElementType type : {ElementType::F32, ElementType::BF16})
    for (bool padded : {false, true}) {
      const PackPairsSpec spec{type, false, padded ? std::optional(ElementType::U8) : std::nullopt};
      const JitKernel pack = makeKernel(spec, target);
      for (int count : {1, 2, 3, 31, 32, 33})
        for (int columns : {1, 7, 15, 16, 17, 64})
          checkPack(spec, pack, count, columns);
    }
}

/// A part of an accumulator, as EmitPairsSpec takes it: `count` x `columns` elements from `key` on,
/// and zeros up to `end` and `fillColumns`.
struct Part {
  int key, count, end, columns, fillColumns;
};

/// Stores a part between others, of which nothing may change, and compares every half.
void checkEmit(const EmitPairsSpec &spec, const JitKernel &emit, const Part &part) {
  const int stride = part.columns + 3, width = 32;
  const size_t elements = size_t(part.count) * stride - 3;
  const Floats values = randomFloats(elements, 21), bias = randomFloats(part.columns, 22);
  GuardedArray<float> acc(values), added(bias);
  auto element = [&](int key, int column) -> uint16_t {
    const int row = key - part.key;
    if (row < 0 || key >= part.end || column >= part.fillColumns)
      return 0xffff;
    if (row >= part.count || column >= part.columns)
      return 0;
    return toHalf(values[row * stride + column] + (spec.biased ? bias[column] : 0));
  };
  const int panels = 3, depth = part.fillColumns + 4, outColumns = part.fillColumns + 20;
  std::vector<int32_t, AlignedAllocator<int32_t>> out(
      spec.panel ? panels * depth / 2 * width : (part.end / 2 + 2) * outColumns, -1);
  // A view of a part of the depth, or of the columns.
  Buffer to = spec.panel
                  ? Buffer(out.data(), halide_type_t(halide_type_int, 32),
                           {panels, part.fillColumns / 2, width}, {depth / 2 * width, width, 1})
                  : Buffer(out.data(), halide_type_t(halide_type_int, 32),
                           {part.end / 2 + 2, part.fillColumns}, {outColumns, 1});
  Buffer in(acc.data(), halide_type_t(halide_type_float, 32), {part.count, part.columns},
            {stride, 1});
  if (spec.biased)
    emit(in.get(), Buffer(added.data(), {part.columns}).get(), part.key, part.end, to.get());
  else
    emit(in.get(), part.key, part.end, to.get());
  for (int place = 0; place < int(out.size()); ++place) {
    const int row = place / (spec.panel ? width : outColumns);
    const int column = place % (spec.panel ? width : outColumns);
    const int key = row / (depth / 2) * width + column, k = row % (depth / 2) * 2;
    ASSERT_EQ(uint32_t(out[place]),
              spec.panel ? pairOf(element(key, k), element(key, k + 1))
                         : pairOf(element(2 * row, column), element(2 * row + 1, column)))
        << part.count << " x " << part.columns << " at " << part.key << ": " << row << ", "
        << column;
  }
}

TEST_P(PairKernels, PartsOfAccumulatorsLeaveWhatLiesBeside) {
  for (bool panel : {false, true})
    for (bool biased : {false, true}) {
      const EmitPairsSpec spec{panel, biased};
      const JitKernel emit = makeKernel(spec, target);
      for (int key : {0, 1, 15, 16, 31, 33, 62})
        for (int count : {1, 2, 15, 16, 17, 33})
          for (int columns : {2, 8, 31, 32, 46, 64})
            for (bool last : {false, true}) {
              Part part{key, count, key + count, columns, columns};
              if (last)
                part.end = roundUp(part.end, 32), part.fillColumns = roundUp(columns, 32);
              if (!panel || part.fillColumns % 2 == 0)
                checkEmit(spec, emit, part);
            }
    }
}

struct ProductsProblem {
  PairProductsSpec spec;
  int count, depth, panels;
};

/// Whole blocks of rows and depth are there; beyond count a holds NaN, beyond depth b holds zeros.
void checkProducts(const ProductsProblem &p, const JitKernel &multiply, bool tiles) {
  const int rows = roundUp(p.count, tiles ? pairTileRows : p.spec.block.rows);
  const int depth = roundUp(p.depth, pairTileDepth), width = static_cast<int>(p.spec.width);
  const int aStride = depth + 6, cStride = p.panels * width + 16;
  Halves a = randomHalves(size_t(rows) * aStride, 1);
  for (int r = p.count; r < rows; ++r)
    std::fill_n(a.begin() + r * aStride, aStride, uint16_t(0x7fc0));
  Halves b = randomHalves(size_t(p.panels) * depth * width, 2); // [panel][pair][column][2]
  for (int panel = 0; panel < p.panels; ++panel)
    for (int k = p.depth; k < depth; ++k)
      for (int j = 0; j < width; ++j)
        b[size_t(panel * depth / 2 + k / 2) * width * 2 + j * 2 + k % 2] = 0;
  Floats factor = randomFloats(rows, 3), c = randomFloats(size_t(rows) * cStride, 4);
  factor.front() = 1;
  using Start = PairProductsSpec::Start;
  const Floats before = c;
  Buffer out(c.data(), {rows, p.panels * width}, {cStride, 1});
  Buffer left = halvesBuffer(a.data(), {rows, depth}, {aStride, 1});
  auto *pairs = reinterpret_cast<int32_t *>(b.data());
  if (p.spec.panels)
    multiply(left.get(), Buffer(pairs, {p.panels, depth / 2, width}).get(), p.count, p.depth,
             p.panels, out.get());
  else if (p.spec.start == Start::Rescaled)
    multiply(left.get(), Buffer(pairs, {depth / 2, width}).get(),
             Buffer(factor.data(), {rows}).get(), p.count, p.depth, out.get());
  else
    multiply(left.get(), Buffer(pairs, {depth / 2, width}).get(), p.count, p.depth, out.get());
  for (int r = 0; r < p.count; ++r)
    for (int column = 0; column < p.panels * width; ++column) {
      const float old = before[r * cStride + column];
      double sum = p.spec.start == Start::Fresh   ? 0
                   : p.spec.start == Start::Added ? old
                                                  : double(old) * factor[r];
      for (int k = 0; k < p.depth; ++k)
        sum += double(toFloat(a[r * aStride + k])) *
               toFloat(b[(size_t(column / width) * depth / 2 + k / 2) * width * 2 +
                         column % width * 2 + k % 2]);
      ASSERT_NEAR(c[r * cStride + column], sum, 1e-4)
          << "row " << r << ", column " << column << " of " << p.count << " x " << p.panels * width
          << " x " << p.depth;
    }
}

TEST_P(PairKernels, ProductsMatchFloat64) {
  using Start = PairProductsSpec::Start;
  for (Start start : {Start::Fresh, Start::Added, Start::Rescaled})
    for (int vectors : {1, 2, 4})
      for (int blocks : {1, 3}) {
        const PairProductsSpec spec{start, {6, vectors}, 16 * vectors * blocks};
        const JitKernel multiply = makeKernel(spec, target);
        for (int count : {1, 15, 16, 17, 32, 33, 50})
          for (int depth : {1, 2, 31, 32, 33, 96})
            checkProducts({spec, count, depth, 1}, multiply, tiles);
      }
}

TEST_P(PairKernels, ProductsGoThroughAllPanels) {
  for (int vectors : {1, 2, 4}) {
    const PairProductsSpec spec{
        PairProductsSpec::Start::Fresh, {6, vectors}, 16 * vectors, /*panels=*/true};
    const JitKernel multiply = makeKernel(spec, target);
    for (int panels : {1, 2, 3})
      checkProducts({spec, 40, 70, panels}, multiply, tiles);
  }
}

/// Every line of the panel behind b once, and since lines are fetched in groups, perhaps some
/// behind it.
TEST_P(PairKernels, ProductsFetchTheNextPanel) {
  constexpr int width = 64, depth = 96, lineBytes = 64, lines = width * depth * 2 / lineBytes;
  PairProductsSpec spec{PairProductsSpec::Start::Fresh, {6, 4}, width};
  spec.prefetchNext = true;
  const JitKernel multiply = makeKernel(spec, target);
  for (int count : {16, 32, 64, 100, 128, 256, 288}) {
    const int rows = roundUp(count, tiles ? pairTileRows : spec.block.rows);
    Halves a = randomHalves(size_t(rows) * depth, 1), b = randomHalves(depth * width, 2);
    Floats c(size_t(rows) * width);
    auto *pairs = reinterpret_cast<int32_t *>(b.data());
    std::vector<uint64_t> fetched;
    fetchedAddresses = &fetched;
    multiply(halvesBuffer(a.data(), {rows, depth}, {depth, 1}).get(),
             Buffer(pairs, {depth / 2, width}).get(), count, depth,
             Buffer(c.data(), {rows, width}).get());
    fetchedAddresses = nullptr;
    std::multiset<uint64_t> expected;
    for (size_t line = 0; line < (tiles ? std::max<size_t>(lines, fetched.size()) : 0); ++line)
      expected.insert(addressOf(b.data() + b.size()) + line * lineBytes);
    EXPECT_EQ(std::multiset(fetched.begin(), fetched.end()), expected) << count;
    EXPECT_LE(fetched.size(), 1.5 * lines) << count;
  }
}

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

TEST_P(PairKernels, ASpecificationNeedsAFormOfProducts) {
  KernelTarget none = target;
  none.pairProducts = PairProducts::None;
  llvm::Expected<Kernel> kernel =
      generateKernel(PairProductsSpec{PairProductsSpec::Start::Fresh, {6, 4}, 64}, none);
  ASSERT_FALSE(kernel);
  EXPECT_NE(llvm::toString(kernel.takeError()).find("multiplies no pairs"), std::string::npos);
  llvm::Expected<Kernel> softmax = generateKernel(PairSoftmaxSpec{}, none);
  ASSERT_FALSE(softmax);
  EXPECT_NE(llvm::toString(softmax.takeError()).find("multiplies no pairs"), std::string::npos);
}

} // namespace
} // namespace attune::cpu::test
