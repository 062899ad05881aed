//===- PairKernelsTest.h - What tests of pairs of bfloat16 share *- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_KERNELS_PAIRKERNELSTEST_H
#define ATTUNE_TESTS_UNIT_KERNELS_PAIRKERNELSTEST_H

#include "KernelTest.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

namespace attune::cpu::test {

class PairKernels : public testing::TestWithParam<NamedTarget> {
protected:
  const KernelTarget &target = GetParam().target;
  const bool tiles = target.pairProducts == PairProducts::Tiles;
};

using Halves = std::vector<uint16_t, AlignedAllocator<uint16_t>>;

inline uint16_t toHalf(float value) {
  llvm::APFloat number(value);
  bool inexact;
  number.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven, &inexact);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}
inline float toFloat(uint16_t half) { return llvm::bit_cast<float>(uint32_t(half) << 16); }

inline Halves randomHalves(size_t count, unsigned seed) {
  Halves halves;
  for (float value : randomFloats(count, seed))
    halves.push_back(toHalf(value));
  return halves;
}

inline Buffer halvesBuffer(void *data, std::vector<int> extents, std::vector<int> strides) {
  return {data, bfloat16Type, extents, strides};
}

} // namespace attune::cpu::test

#endif
