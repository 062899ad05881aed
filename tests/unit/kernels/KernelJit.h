//===- KernelJit.h - Runs generated kernels in the test process -*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_KERNELS_KERNELJIT_H
#define ATTUNE_TESTS_UNIT_KERNELS_KERNELJIT_H

#include "codegen/cpu/kernels/Kernel.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Passes/OptimizationLevel.h"
#include <HalideRuntime.h>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace attune::cpu::test {

/// A row-major buffer descriptor: extents and strides are given outermost first.
class Buffer {
public:
  Buffer(float *data, std::vector<int> extents, std::vector<int> strides = {})
      : Buffer(data, halide_type_t(halide_type_float, 32), extents, strides) {}
  Buffer(uint8_t *data, std::vector<int> extents, std::vector<int> strides = {})
      : Buffer(data, halide_type_t(halide_type_uint, 8), extents, strides) {}
  Buffer(int32_t *data, std::vector<int> extents, std::vector<int> strides = {})
      : Buffer(data, halide_type_t(halide_type_int, 32), extents, strides) {}
  Buffer(void *data, halide_type_t type, const std::vector<int> &extents,
         const std::vector<int> &strides = {});
  Buffer(const Buffer &) = delete;

  halide_buffer_t *get() { return &buffer; }

private:
  std::array<halide_dimension_t, 3> dimensions{};
  halide_buffer_t buffer{};
};

/// Where kernels of this process record what they fetch, or null.
extern std::vector<uint64_t> *fetchedAddresses;

inline uint64_t addressOf(const void *data) { return reinterpret_cast<uint64_t>(data); }

/// A kernel compiled for this machine.
class JitKernel {
public:
  JitKernel(const Kernel &kernel, llvm::OptimizationLevel level);

  template <typename... Arguments> void operator()(Arguments... arguments) const {
    reinterpret_cast<int (*)(Arguments...)>(address)(arguments...);
  }

  /// Declarations that the module leaves to others.
  std::vector<std::string> undefined;
  unsigned parameters = 0;

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
  void *address = nullptr;
};

} // namespace attune::cpu::test

#endif
