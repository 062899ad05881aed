//===- GenerationTest.cpp - Symbols, errors, threads ----------------------===//

#include "KernelTest.h"
#include <atomic>
#include <set>
#include <thread>

namespace attune::cpu::test {
namespace {

ScoresSpec scoresSpec() {
  ScoresSpec spec;
  spec.block = {4, 2};
  spec.depth = 16;
  spec.tileColumns = 32;
  return spec;
}

TEST(Generation, SymbolsSayWhatKernelsAre) {
  const KernelTarget target = hostTargets().front().target;
  const std::string symbol = describeKernel(scoresSpec(), target).symbol;
  EXPECT_EQ(symbol.rfind("attune_scores_4x2_d16_", 0), 0u) << symbol;
  EXPECT_EQ(symbol, describeKernel(scoresSpec(), target).symbol);
}

TEST(Generation, SymbolsDifferWithEveryField) {
  const KernelTarget target = hostTargets().front().target;
  std::vector<ScoresSpec> specs(9, scoresSpec());
  specs[1].depth = 17;
  specs[2].tileColumns = 40;
  specs[3].scale = 0.5;
  specs[4].exp2Degree = 5;
  specs[5].keep.operations = {{RegionOpcode::IntConstant, {}}};
  specs[6].tiles = {{ElementType::U8}};
  specs[7].tiles = {{ElementType::U8, /*oneRow=*/true}};
  specs[8].scalars = 1;
  std::set<std::string> symbols;
  for (const ScoresSpec &spec : specs)
    symbols.insert(describeKernel(spec, target).symbol);
  KernelTarget other = target;
  other.avx = true;
  symbols.insert(describeKernel(specs[0], other).symbol);
  EXPECT_EQ(symbols.size(), specs.size() + 1);
}

/// Adds a symbol to a set that must not have it.
template <typename Spec> void addSymbol(std::set<std::string> &symbols, const Spec &spec) {
  const std::string symbol = describeKernel(spec, hostTargets().front().target).symbol;
  EXPECT_TRUE(symbols.insert(symbol).second) << symbol;
}

TEST(Generation, SymbolsOfOtherKernelsDifferToo) {
  std::set<std::string> symbols;
  addSymbol(symbols, scoresSpec());
  addSymbol(symbols, LogitsSpec{scoresSpec()});
  for (int degree : {5, 6})
    addSymbol(symbols, SoftmaxSpec{degree});
  for (bool add : {false, true})
    for (bool zero : {false, true})
      for (double factor : {1.0, 0.5})
        addSymbol(symbols, EmitWeightsSpec{add, zero, factor});
  for (ElementType type :
       {ElementType::F32, ElementType::U8, ElementType::BF16, ElementType::F16}) {
    addSymbol(symbols, KeyRangeSpec{type});
    addSymbol(symbols, PackRowsSpec{type, type});
    if (type != ElementType::F32)
      addSymbol(symbols, PackRowsSpec{type, ElementType::F32});
    for (ElementType padding : {ElementType::F32, ElementType::U8})
      addSymbol(symbols, PackRowsSpec{type, type, padding});
  }
  addSymbol(symbols, ClassifySpec{});
}

TEST(Generation, MalformedSpecificationsAreErrors) {
  const KernelTarget target = hostTargets().front().target;
  ScoresSpec degree = scoresSpec(), region = scoresSpec(), operand = scoresSpec();
  degree.exp2Degree = 9;
  region.score.operations = {{RegionOpcode::KeyIndex, {}}};
  operand.keep.operations = {{RegionOpcode::Scalar, {}, 3}};
  for (const ScoresSpec &spec : {degree, region, operand}) {
    llvm::Expected<Kernel> kernel = generateKernel(spec, target);
    ASSERT_FALSE(static_cast<bool>(kernel));
    EXPECT_NE(llvm::toString(kernel.takeError()), "");
  }
}

TEST(Generation, ThreadsGenerateAtOnce) {
  const NamedTarget named = hostTargets().back();
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int depth = 1; depth <= 4; ++depth) {
        ScoresSpec spec = scoresSpec();
        spec.depth = 4 * depth + i;
        llvm::Expected<Kernel> kernel = generateKernel(spec, named.target);
        good += kernel && !kernel->bitcode.empty();
        if (!kernel)
          llvm::consumeError(kernel.takeError());
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(good, 16);
}

} // namespace
} // namespace attune::cpu::test
