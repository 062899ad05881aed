//===- ConversionTest.cpp - float32 to 16-bit floats and back -------------===//
#include "KernelTest.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <random>

namespace attune::cpu::test {

namespace {
struct SmallFloat {
  ElementType type;
  halide_type_t halide;
  const llvm::fltSemantics &semantics;
};

const SmallFloat smallFloats[] = {
    {ElementType::BF16, halide_type_t(halide_type_bfloat, 16), llvm::APFloat::BFloat()},
    {ElementType::F16, halide_type_t(halide_type_float, 16), llvm::APFloat::IEEEhalf()}};

float widened(uint16_t bits, const SmallFloat &small) {
  llvm::APFloat number(small.semantics, llvm::APInt(16, bits));
  return static_cast<float>(number.convertToDouble());
}

uint16_t narrowed(float value, const SmallFloat &small) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(small.semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

bool isSame(float a, float b) {
  return (a != a && b != b) || llvm::bit_cast<uint32_t>(a) == llvm::bit_cast<uint32_t>(b);
}

/// Runs PackRows on one row.
template <typename In, typename Out>
std::vector<Out> packed(std::vector<In> in, halide_type_t inType, halide_type_t outType,
                        const PackRowsSpec &spec, const KernelTarget &target) {
  JitKernel pack = makeKernel(spec, target);
  std::vector<Out> out(in.size());
  const int columns = static_cast<int>(in.size());
  Buffer source(in.data(), inType, {1, columns}), result(out.data(), outType, {1, columns});
  pack(source.get(), columns, result.get());
  return out;
}

/// Numbers of 16 bits, those half way between two of them, and the neighbours of these.
std::vector<float> roundingCases(const SmallFloat &small) {
  std::vector<float> cases;
  for (uint32_t bits = 0; bits < 0xffff; ++bits) {
    const float low = widened(bits, small), high = widened(bits + 1, small);
    if (!std::isfinite(low) || !std::isfinite(high) || std::signbit(low) != std::signbit(high))
      continue;
    const float half = static_cast<float>((double(low) + high) / 2);
    for (float value : {low, half, std::nextafter(half, low), std::nextafter(half, high)})
      cases.push_back(value);
  }
  for (float value : {INFINITY, -INFINITY, NAN, 3e38f, -3e38f, 65519.0f, 65520.0f, 1e-45f, -0.0f})
    cases.push_back(value);
  std::mt19937 random(7);
  for (int k = 0; k < 100000; ++k)
    cases.push_back(llvm::bit_cast<float>(static_cast<uint32_t>(random())));
  return cases;
}

const halide_type_t float32(halide_type_float, 32);
} // namespace

class Conversion : public testing::TestWithParam<NamedTarget> {};

TEST_P(Conversion, WidensEveryNumber) {
  std::vector<uint16_t> all(1 << 16);
  for (size_t bits = 0; bits < all.size(); ++bits)
    all[bits] = static_cast<uint16_t>(bits);
  for (const SmallFloat &small : smallFloats) {
    auto out = packed<uint16_t, float>(all, small.halide, float32, {small.type, ElementType::F32},
                                       GetParam().target);
    for (size_t bits = 0; bits < all.size(); ++bits)
      ASSERT_TRUE(isSame(out[bits], widened(all[bits], small)))
          << elementName(small.type) << " " << bits << ": " << out[bits];
  }
}

TEST_P(Conversion, RoundsToNearestTiesToEven) {
  for (const SmallFloat &small : smallFloats) {
    const std::vector<float> cases = roundingCases(small);
    auto out = packed<float, uint16_t>(cases, float32, small.halide, {ElementType::F32, small.type},
                                       GetParam().target);
    for (size_t k = 0; k < cases.size(); ++k)
      ASSERT_TRUE(isSame(widened(out[k], small), widened(narrowed(cases[k], small), small)))
          << elementName(small.type) << " of " << cases[k] << " is " << widened(out[k], small);
  }
}

/// Rounding that leans to one side would show as a mean error.
TEST_P(Conversion, IsWithoutBias) {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> uniform(1, 2);
  std::vector<float> values(200000);
  for (float &value : values)
    value = uniform(random);
  for (const SmallFloat &small : smallFloats) {
    auto out = packed<float, uint16_t>(values, float32, small.halide,
                                       {ElementType::F32, small.type}, GetParam().target);
    double sum = 0;
    for (size_t k = 0; k < values.size(); ++k)
      sum += double(widened(out[k], small)) - values[k];
    const double unit = small.type == ElementType::BF16 ? 0x1p-7 : 0x1p-10;
    // The mean of so many errors, uniform within half a unit, stays within 0.004 units.
    EXPECT_LT(std::abs(sum / values.size()), 0.004 * unit) << elementName(small.type);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Conversion, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

} // namespace attune::cpu::test
