//===- PairKernelsTest.cpp - bfloat16 in pairs: packing and products ------===//

#include "PairKernelsTest.h"
#include "GuardedArray.h"
#include "attune/attune.h"
#include "llvm/TargetParser/Host.h"
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

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PairKernels);
INSTANTIATE_TEST_SUITE_P(Host, PairKernels, testing::ValuesIn(pairTargets()),
                         [](const auto &info) { return info.param.name; });

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
