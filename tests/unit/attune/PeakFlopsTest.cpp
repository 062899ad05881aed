//===- PeakFlopsTest.cpp - The loops that stand for a machine's peak ------===//
#include "PeakFlops.h"

#include <gmock/gmock.h>

namespace attune::tool {
namespace {

using testing::HasSubstr;
using testing::Not;

/// `pairs`: of code that multiplies bfloat16.
std::string assembly(const char *name, bool pairs = false) {
  auto target = cpu::resolveTarget(name);
  if (!target)
    return llvm::toString(target.takeError());
  if (pairs)
    cpu::multiplyPairs(*target);
  auto code = compilePeakLoop(*target, cpu::MachineCodeKind::Assembly);
  if (!code)
    return llvm::toString(code.takeError());
  return {code->data(), code->size()};
}

TEST(PeakFlops, MultipliesAndAddsInWholeRegisters) {
  EXPECT_THAT(assembly("x86-64-v3"), HasSubstr("vfmadd213ps\t%ymm"));
  EXPECT_THAT(assembly("x86-64-v4"), HasSubstr("vfmadd213ps\t%zmm"));
  EXPECT_THAT(assembly("neoverse-n1"), HasSubstr("fmla\tv"));
}

TEST(PeakFlops, TakesBfloat16DotProductsWhereThereAreSome) {
  EXPECT_THAT(assembly("sapphirerapids", /*pairs=*/true), HasSubstr("tdpbf16ps\t%tmm"));
  EXPECT_THAT(assembly("znver4", /*pairs=*/true), HasSubstr("vdpbf16ps\t%zmm"));
  EXPECT_THAT(assembly("znver4"), Not(HasSubstr("vdpbf16ps")));
  for (const char *without : {"x86-64-v3", "x86-64-v4", "neoverse-n1"})
    EXPECT_EQ(assembly(without, /*pairs=*/true), assembly(without));
}

TEST(PeakFlops, TakesTheTimeFromTheClockThatItIsGiven) {
  auto target = cpu::resolveTarget("host");
  ASSERT_TRUE(bool(target)) << llvm::toString(target.takeError());
  auto peakBy = [&](double step) {
    double now = 0;
    return llvm::cantFail(measurePeak(*target, 1, [&] { return now += step; }));
  };
  EXPECT_GT(peakBy(1), 0);
  EXPECT_NEAR(peakBy(1) / peakBy(2), 2, 1e-9);
}

} // namespace
} // namespace attune::tool
