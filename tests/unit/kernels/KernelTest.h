//===- KernelTest.h - Targets, data and generation for the tests *- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_KERNELS_KERNELTEST_H
#define ATTUNE_TESTS_UNIT_KERNELS_KERNELTEST_H

#include "KernelJit.h"
#include "codegen/cpu/kernels/Kernel.h"
#include <bit>
#include <gtest/gtest.h>
#include <new>
#include <random>
#include <string>
#include <vector>

namespace attune::cpu::test {

struct NamedTarget {
  std::string name;
  KernelTarget target;
  RegisterBlock block; ///< a block that fits the registers of the target
};

/// The targets that this machine can run: always sse41.
std::vector<NamedTarget> hostTargets();

inline void PrintTo(const NamedTarget &target, std::ostream *out) { *out << target.name; }

/// Generates a kernel and compiles it for this machine; checks that it leaves nothing undefined and
/// takes the arguments of its description.
template <typename Spec> JitKernel makeKernel(const Spec &spec, const KernelTarget &target) {
  llvm::Expected<Kernel> kernel = generateKernel(spec, target);
  if (!kernel)
    throw std::runtime_error(llvm::toString(kernel.takeError()));
  JitKernel jit(*kernel, llvm::OptimizationLevel::O2);
  EXPECT_EQ(jit.undefined, std::vector<std::string>());
  EXPECT_EQ(jit.parameters, kernel->arguments.size());
  EXPECT_EQ(kernel->symbol, describeKernel(spec, target).symbol);
  return jit;
}

/// Cuts float32 numbers off to bfloat16, which is their upper half: in place, and as such numbers.
template <typename Floats> std::vector<uint16_t> cutToBFloat16(Floats &numbers, size_t count) {
  std::vector<uint16_t> halves(count);
  for (size_t i = 0; i < count; ++i) {
    halves[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(numbers[i]) >> 16);
    numbers[i] = std::bit_cast<float>(uint32_t(halves[i]) << 16);
  }
  return halves;
}
inline constexpr halide_type_t bfloat16Type{halide_type_bfloat, 16, 1};

/// Allocates at 64 bytes, as dense buffers of kernels are.
template <typename T> struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <typename U> AlignedAllocator(const AlignedAllocator<U> &) {}
  T *allocate(size_t count) {
    return static_cast<T *>(::operator new(count * sizeof(T), std::align_val_t(64)));
  }
  void deallocate(T *memory, size_t) { ::operator delete(memory, std::align_val_t(64)); }
  bool operator==(const AlignedAllocator &) const = default;
};
using Floats = std::vector<float, AlignedAllocator<float>>;

/// Floats in [-1, 1), the same for the same seed.
Floats randomFloats(size_t count, unsigned seed);

inline int roundUp(int value, int unit) { return (value + unit - 1) / unit * unit; }

} // namespace attune::cpu::test

#endif
