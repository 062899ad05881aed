//===- KernelTest.cpp - Targets, data and generation for the tests --------===//

#include "KernelTest.h"
#include "llvm/TargetParser/Host.h"

namespace attune::cpu::test {

std::vector<NamedTarget> hostTargets() {
  const llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<const char *> names) {
    return llvm::all_of(names, [&](const char *name) { return features.lookup(name); });
  };
  KernelTarget target;
  target.sse41 = true;
  std::vector<NamedTarget> result{{"sse41", target, {4, 2}}};
  if (!has({"avx", "f16c", "fma", "avx2"}))
    return result;
  target.avx = target.f16c = target.fma = target.avx2 = true;
  target.vectorLanes = 8;
  result.push_back({"avx2", target, {6, 2}});
  if (!has({"avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"}))
    return result;
  target.avx512 = true;
  target.vectorLanes = 16;
  result.push_back({"avx512", target, {6, 4}});
  return result;
}

Floats randomFloats(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  Floats values(count);
  for (float &value : values)
    value = static_cast<float>(generator() >> 8) * 0x1p-23f - 1.0f;
  return values;
}

} // namespace attune::cpu::test
