//===- FunctionTest.cpp - Runs functions of one float ---------------------===//

#include "FunctionTest.h"
#include "codegen/cpu/kernels/HalideCommon.h"
#include <algorithm>
#include <bit>
#include <cmath>

namespace attune::cpu::test {

static JitKernel compile(llvm::function_ref<Halide::Expr(const Halide::Expr &x)> make,
                         const KernelTarget &target) {
  llvm::Expected<Kernel> kernel = compileKernel({"function", {}, {}}, target, [&]() -> Recipe {
    Halide::ImageParam in = inputBuffer("in", 1);
    Halide::Var x("x");
    Halide::Func out("out");
    out(x) = make(in(x));
    out.vectorize(x, target.vectorLanes, Halide::TailStrategy::RoundUp);
    constrainOutput(out);
    return {{out}, {in}};
  });
  if (!kernel)
    throw std::runtime_error(llvm::toString(kernel.takeError()));
  return JitKernel(*kernel, llvm::OptimizationLevel::O2);
}

FunctionRunner::FunctionRunner(llvm::function_ref<Halide::Expr(const Halide::Expr &x)> make,
                               const KernelTarget &target)
    : kernel(compile(make, target)) {
  EXPECT_EQ(kernel.undefined, std::vector<std::string>());
}

Floats FunctionRunner::operator()(Floats in) const {
  const size_t wanted = in.size();
  in.resize(roundUp(static_cast<int>(wanted), 16));
  Floats out(in.size());
  const int size = static_cast<int>(in.size());
  kernel(Buffer(in.data(), {size}).get(), Buffer(out.data(), {size}).get());
  out.resize(wanted);
  return out;
}

void forFloats(uint32_t first, uint32_t last, llvm::function_ref<void(const Floats &)> check) {
  const uint64_t step = std::getenv("ATTUNE_TEST_EXHAUSTIVE") ? 1 : 2053; // a prime
  Floats chunk;
  for (uint64_t bits = first; bits <= last; bits += step) {
    chunk.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    if (chunk.size() == 1 << 16 || bits + step > last) {
      check(chunk);
      chunk.clear();
    }
  }
}

double ulpError(float actual, double exact) {
  const double limit = 0x1p128, bounded = std::clamp(exact, -limit, limit);
  const uint64_t exponentBits = std::bit_cast<uint64_t>(bounded) & 0x7ff0000000000000;
  const double power = std::min(std::bit_cast<double>(exponentBits), 0x1p127);
  return std::abs(std::clamp<double>(actual, -limit, limit) - bounded) /
         std::max(power * 0x1p-23, 0x1p-149);
}

} // namespace attune::cpu::test
