//===- TileBuilder.h - What the builders of tile stages share ---*- C++ -*-===//
#ifndef ATTUNE_TRANSFORMS_TILEBUILDER_H
#define ATTUNE_TRANSFORMS_TILEBUILDER_H

#include "dialect/Mha.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "schedules/CpuSchedule.h"

namespace attune {

/// A builder at one place of a function, with the schedule and the sizes of the call.
struct TileBuilder {
  mlir::OpBuilder &builder;
  mlir::Location loc;
  const CpuSchedule &schedule;
  const CpuTraits &cpu;

  mlir::Value constant(int64_t value);
  /// affine.apply of an expression over d0, d1, ... = `dims`.
  mlir::Value apply(mlir::AffineExpr expression, mlir::ValueRange dims);
  /// affine.min of expressions over d0, d1, ... = `dims`.
  mlir::Value min(llvm::ArrayRef<mlir::AffineExpr> expressions, mlir::ValueRange dims);
  mlir::Value multiply(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, int64_t b);
  mlir::AffineExpr d(unsigned position) { return builder.getAffineDimExpr(position); }

  /// scf.forall over [0, bounds); `body` builds what runs for one point.
  void forall(mlir::ValueRange bounds, llvm::function_ref<void(mlir::ValueRange)> body);

  /// scf.for over [from, to) in steps of 1 without results.
  void loop(mlir::Value from, mlir::Value to, llvm::function_ref<void(mlir::Value)> body);

  mlir::MemRefType floats(llvm::ArrayRef<int64_t> shape);
  /// A dense temporary of floats, or of another type; dynamic dimensions take their extents from
  /// `sizes`.
  mlir::Value allocate(llvm::ArrayRef<int64_t> shape, mlir::ValueRange sizes,
                       mlir::Type element = {});

  mlir::Value load(mlir::Value source, mlir::ValueRange indices, mlir::Value count,
                   mlir::Value columns, mha::TileType type);

  /// An element of a memref, or a place in it.
  struct Place {
    mlir::Value memref;
    llvm::SmallVector<mlir::Value> indices;
  };
  void pack(mha::PackKind kind, const Place &source, mlir::Value count, const Place &target,
            const Place &padding = {});
  /// Rows (count, K) as float32: themselves, or a converted copy that all workers write.
  mlir::Value asFloat32(mlir::Value rows, mlir::Value count);

  mlir::Value copyRows(mlir::Value rows, mlir::Value count, mlir::Value copy);

  /// Whether products take bfloat16 in pairs.
  bool multipliesPairs() const { return cpu.pairProducts != PairProducts::None; }
  /// Rows (count, K) as products of pairs read them: themselves, if they are temporaryRows of whole
  /// pair tiles, or a copy in bfloat16 that is padded with zeros to such a depth. The rows are
  /// whole blocks of the projection.
  mlir::Value asPairs(mlir::Value rows, mlir::Value count);
  /// A temporary of (count, columns): float32, or bfloat16 where products take pairs. Tiles read 16
  /// rows at once: there rows are an odd number of cache lines apart.
  mlir::Value temporaryRows(mlir::Value count, int64_t columns);
};

/// True for elements that kernels compute with as they lie in memory.
inline bool isFloat32(mlir::Value memref) {
  return mlir::cast<mlir::MemRefType>(memref.getType()).getElementType().isF32();
}

/// Keys and values of heads as attention reads them (PackedHeads.h), or null.
struct PackedHeads {
  mlir::Value keys, values;
  mlir::Value heads;     ///< of all batch elements
  mlir::Value rowsIfFew; ///< a target length: with few such rows there are none, but rows; or null
};

/// Columns of a projection's result that are the keys or values of all heads.
struct PackedPart {
  mha::PackKind kind; ///< panels of keys, rows of values
  mlir::Value target; ///< of allocatePackedHeads, heads by batch element
  int64_t first;      ///< column
  int64_t heads, headDim;
  mlir::Value rowsIfFew; ///< of PackedHeads, the same for all parts of a projection
};

/// The rows (R, K) of a projection's operand, and where its result goes.
struct ProjectionStage {
  mlir::Value x;       ///< memref<?xKxf32>, or memref<?xKxbf16> for products of pairs
  mlir::Value weight;  ///< memref<panels x K x width>, or memref<panels x K/2 x width> of pairs
  mlir::Value bias;    ///< memref<panels * width>, or null
  mlir::Value target;  ///< memref<?xcolumns>, or null
  mlir::Value rows;    ///< number of rows
  mlir::Value length;  ///< of them in a batch element
  int64_t columns = 0; ///< of the target, the first ones that are stored in each call
  llvm::SmallVector<PackedPart> parts; ///< what else is stored
  /// A target length: with few such rows all columns are stored in the target, and no parts. Or
  /// null.
  mlir::Value rowsIfFew() const { return parts.empty() ? mlir::Value() : parts.front().rowsIfFew; }
};
void buildProjection(TileBuilder &tile, const ProjectionStage &stage);

/// The operands of attention as (N, H, length, D) memrefs and the op whose regions apply.
struct AttentionStage {
  mha::AttendOp attend;
  mlir::Value query, key, value, target;
  mlir::Value
      weights; ///< (N, H, L, keys), averaged (N, L, keys), or without N; null if not asked for
  mlir::Value batch, heads, targetLength, sourceLength;
  int64_t headDim;
  PackedHeads packed; ///< in place of key and value, where their projections have packed them
  /// The memref that stands for a tensor which attend or its regions read.
  llvm::function_ref<mlir::Value(mlir::Value)> memrefOf;
};
/// Whether calls have so few query rows that attention reads keys and values where they lie.
enum class FewRows { Never, AsLengthSays, Always };
FewRows fewRowsOf(const TileBuilder &tile, mlir::Value targetLength, mlir::Value sourceLength);
/// Where the length says so: whether this call has.
mlir::Value hasFewRows(TileBuilder &tile, mlir::Value targetLength);
/// Online softmax over kv tiles: memory does not grow with L * S.
mlir::LogicalResult buildAttention(TileBuilder &tile, const AttentionStage &stage);
/// Softmax over whole rows, a query tile at a time, for stages that return the weights.
mlir::LogicalResult buildAttentionWithWeights(TileBuilder &tile, const AttentionStage &stage);

} // namespace attune

#endif
