//===- PairPacker.h - Storing bfloat16 in pairs -----------------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_PAIRPACKER_H
#define ATTUNE_CODEGEN_CPU_KERNELS_PAIRPACKER_H

#include "codegen/cpu/kernels/LlvmKernel.h"

namespace attune::cpu {

/// Loads, shuffles and stores that kernels share which write pairs of bfloat16: from rows of
/// float32 or bfloat16 (argument 0) into the last argument.
class PairPacker {
public:
  explicit PairPacker(const Kernel &description);
  virtual ~PairPacker() = default;

  llvm::Expected<Kernel> build() {
    buildLoops();
    return kernel.finish();
  }

protected:
  static constexpr int64_t kLanes = 16;

  virtual void buildLoops() = 0;

  llvm::Value *index(int64_t value) { return kernel.index(value); }
  /// `lanes` elements of a row from `column` on: zero from column `limit` on, and everywhere unless
  /// `wanted`.
  llvm::Value *loadRow(llvm::Value *row, llvm::Value *column, int64_t lanes, llvm::Value *limit,
                       llvm::Value *wanted);
  llvm::Value *asBFloat16(llvm::Value *floats);
  /// The pairs of rows that hold pairs side by side, an i32 a row, as those of columns.
  llvm::SmallVector<llvm::Value *> transposed(llvm::SmallVector<llvm::Value *> rows);
  /// a0 b0 a1 b1 ... of `count` elements from `from` on.
  llvm::Value *interleave(llvm::Value *a, llvm::Value *b, int64_t from, int64_t count);

  LlvmKernelBuilder kernel;
  llvm::IRBuilder<> &ir;
  const KernelBuffer &in, &out;
  const ElementType type;
};

} // namespace attune::cpu

#endif
