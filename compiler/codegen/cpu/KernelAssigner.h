//===- KernelAssigner.h - Lowers the tile operations of a function -*- C++ -*-===//
//
// AssignKernels.cpp follows control flow, FetchAhead.cpp prefetches, MemoryKernels.cpp lowers what
// moves and inspects memory, TileKernels.cpp what computes on tiles.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELASSIGNER_H
#define ATTUNE_CODEGEN_CPU_KERNELASSIGNER_H

#include "codegen/cpu/KernelCaller.h"

namespace attune::cpu {

/// Where a tile lies. `count` and `columns` are those of its load, null for an accumulator.
struct TileBuffer {
  mlir::Value memref;
  mlir::Value count, columns;
};

/// Buffers of running statistics: the current ones and those that the next step writes.
struct StatsBuffer {
  mlir::Value maximum, sum, nextMaximum, nextSum;

  llvm::SmallVector<mlir::Value> values() const { return {maximum, sum, nextMaximum, nextSum}; }
  static StatsBuffer of(mlir::ValueRange values) {
    return {values[0], values[1], values[2], values[3]};
  }
};

/// Whether a product takes bfloat16 in pairs. Few rows convert what they read.
inline bool multipliesPairs(mha::AccumulateOp op) {
  return !op.getFewRows() && op.getB().getType().getElementType().isBF16();
}

/// Lowers the tile operations of one function in order.
class KernelAssigner {
public:
  KernelAssigner(mlir::func::FuncOp function, KernelCaller &caller)
      : caller(caller), function(function) {}

  mlir::LogicalResult run() {
    caller.enterFunction(function);
    return lowerBlock(function.front());
  }

private:
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lower(mlir::Operation &op);
  mlir::LogicalResult lower(mlir::scf::ForOp loop);
  mlir::LogicalResult lower(mlir::scf::ForallOp loop);
  mlir::LogicalResult lower(mlir::scf::IfOp branch);
  llvm::SmallVector<mlir::Value> bufferValues(mlir::ValueRange values) const;
  void bindBuffers(mlir::ValueRange values, mlir::ValueRange sources, mlir::ValueRange buffers);

  // FetchAhead.cpp
  /// Where workers take whole heads: says at the loop's head what they read in the next one.
  void planAhead(mlir::scf::ForallOp loop);
  bool fetchesAhead(mha::AccumulateOp op) const;
  void appendFetchOperands(mha::AccumulateOp op, llvm::SmallVector<mlir::Value> &operands);

  // MemoryKernels.cpp
  void lower(mha::PackOp op);
  void lowerPairs(mha::PackOp op);
  void lower(mha::AsPairsOp op);
  void lower(mha::ClearOp op);
  void lower(mha::KeyRangeOp op);
  void lower(mha::ClassifyOp op);
  void lower(mha::LoadOp op);
  mlir::Value regionOperand(mha::LoadOp load, const TileBuffer &tile);

  // TileKernels.cpp
  void lower(mha::ZeroOp op);
  void lower(mha::StartOp op);
  mlir::LogicalResult lower(mha::ScoresOp op);
  mlir::LogicalResult lower(mha::LogitsOp op);
  void lower(mha::SoftmaxOp op);
  void lower(mha::AccumulateOp op);
  void lower(mha::FinishOp op);
  void lower(mha::EmitWeightsOp op);
  void lower(mha::EmitOp op);
  void lower(mha::EmitPackedOp op);
  void lower(mha::SaveOp op);
  void lower(mha::MergeOp op);
  void lowerFewRows(mha::AccumulateOp op);
  void lowerPairs(mha::AccumulateOp op);
  void lowerPairs(mha::ScoresOp op, const ScoringSpec &scoring,
                  llvm::ArrayRef<mlir::Value> scalars);
  template <typename Op> void pairProducts(Op op, mlir::Value target, ScoringSpec &scoring);
  StatsBuffer statistics(int64_t rows);
  mlir::Value accumulator(mha::TileType type);
  template <typename Op>
  mlir::LogicalResult describeScoring(Op op, ScoringSpec &spec,
                                      llvm::SmallVector<mlir::Value> &scalars);
  template <typename Op>
  void appendScoringOperands(Op op, const ScoringSpec &spec, mlir::ValueRange scalars,
                             llvm::SmallVector<mlir::Value> &operands);

  KernelCaller &caller;
  mlir::func::FuncOp function;
  llvm::DenseMap<mlir::Value, TileBuffer> tiles;
  llvm::DenseMap<mlir::Value, mlir::Value> rescales;
  llvm::DenseMap<mlir::Value, StatsBuffer> stats;
  mlir::Value plan;        ///< of the open loop: what its products fetch; or null
  mlir::Value queryLength; ///< of that loop
};

} // namespace attune::cpu

#endif
