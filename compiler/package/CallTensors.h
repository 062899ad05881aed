//===- CallTensors.h - Tensors of calls -------------------------*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_CALLTENSORS_H
#define ATTUNE_PACKAGE_CALLTENSORS_H

#include "attune/attune.hpp"
#include "frontend/Interface.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <random>

namespace attune {

/// Memory of tensors.
class TensorMemory {
public:
  /// A dense tensor that is not initialised; masks are bool. Throws std::bad_alloc if it is too
  /// large.
  attune_tensor allocate(const InterfaceTensor &spec, const CallSizes &sizes);

private:
  std::vector<attune::AlignedBuffer> buffers;
};

size_t elementCount(const attune_tensor &tensor);
size_t byteCount(const attune_tensor &tensor);

/// The masks of nn.MultiheadAttention.forward.
llvm::ArrayRef<llvm::StringLiteral> maskNames();

/// Tensors of a call, with content that is random but always the same, or with memory of others.
class RandomTensors {
public:
  /// Adds tensors of the interface, in its order. Elements lie within -scale and scale; a bool
  /// attn_mask hides half of the keys, so that no tile is wholly visible or hidden; the other masks
  /// hide nothing.
  void add(llvm::ArrayRef<InterfaceTensor> specs, const CallSizes &sizes, float scale);
  /// Adds a tensor whose memory outlives this.
  void add(const attune_tensor &tensor) { tensors.push_back(tensor); }

  size_t totalBytes() const;

  std::vector<attune_tensor> tensors;

private:
  void fill(const InterfaceTensor &spec, attune_tensor &tensor, float scale);

  std::mt19937 generator{1};
  TensorMemory memory;
};

} // namespace attune

#endif
