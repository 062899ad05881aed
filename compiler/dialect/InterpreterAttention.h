//===- InterpreterAttention.h - Attention on whole tensors ------*- C++ -*-===//
#ifndef ATTUNE_DIALECT_INTERPRETERATTENTION_H
#define ATTUNE_DIALECT_INTERPRETERATTENTION_H

#include "dialect/InterpreterCore.h"

namespace attune::mha::interpreter {

/// Operands (N, H, L, D), (N, H, S, D) and (N, H, S, V), keys (H, A, D) and values (H, A, V) behind
/// those given, and how scores become weights.
struct AttentionProblem {
  Array query, key, value;
  std::optional<Array> appendedKey = std::nullopt, appendedValue = std::nullopt;
  double scale = 1;
  bool nanMaskedRows = false;
  bool wantsWeights = false;

  Lengths lengths() const { return {query.shape[2], key.shape[2]}; }
};

struct AttentionResult {
  Array out;     ///< (N, H, L, V)
  Array weights; ///< (N, H, L, S + A), if they are wanted
};

/// What an operation with PyTorch's masks does to the scores of the given keys: the score region
/// (which may be empty), then attn_mask (L, S) or (N * H, L, S), key_padding_mask (N, S) or (S),
/// and causality. Either mask may be null.
struct Masking {
  mlir::Region &score;
  mlir::Value attnMask, keyPaddingMask;
  bool causal;
};

llvm::Expected<AttentionResult> attendMasked(Interpreter &interpreter, mlir::Operation *op,
                                             const AttentionProblem &problem,
                                             const Masking &masking);

/// Sets `result`, the second result of an operation, to weights (N, H, L, keys): averaged over
/// heads or not, without N where its type has one dimension less. Does nothing when there is none.
llvm::Error setWeights(Interpreter &interpreter, mlir::Operation *op, const Array &weights,
                       mlir::Value result, bool average);

} // namespace attune::mha::interpreter

#endif
