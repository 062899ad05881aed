//===- KernelCache.h - Kernels that were generated before -------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELCACHE_H
#define ATTUNE_CODEGEN_CPU_KERNELCACHE_H

#include "codegen/cpu/kernels/Kernel.h"
#include <map>

namespace attune::cpu {

/// Generated kernels by their symbols, which say all that they depend on: compilations of one
/// target that share a cache generate each kernel once. Not to be used by two threads at once.
class KernelCache {
public:
  /// Null if there is none of this symbol.
  const Kernel *find(const std::string &symbol) const {
    auto found = kernels.find(symbol);
    return found == kernels.end() ? nullptr : &found->second;
  }
  void add(Kernel kernel) {
    std::string symbol = kernel.symbol;
    kernels.emplace(std::move(symbol), std::move(kernel));
  }
  size_t size() const { return kernels.size(); }

  /// Those of a set of symbols that a cache of before lacks are what a compilation has added.
  const std::map<std::string, Kernel> &all() const { return kernels; }

private:
  std::map<std::string, Kernel> kernels;
};

} // namespace attune::cpu

#endif
