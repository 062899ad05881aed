//===- DecomposeModule.cpp - mha.multihead_attention to its parts ---------===//
#include "transforms/DecomposeModule.h"

#include "dialect/Mha.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include <cmath>

using namespace mlir;

namespace attune {
#define GEN_PASS_DEF_DECOMPOSEMODULE
#include "transforms/DecomposeModule.h.inc"

namespace {
/// (.., length, E) in the given order -> (N, H, length, D).
RankedTensorType headsType(RankedTensorType rows, mha::Order order, int64_t heads) {
  ArrayRef<int64_t> shape = rows.getShape();
  int64_t batch = 1, length = shape[0];
  if (order == mha::Order::NLE) {
    batch = shape[0];
    length = shape[1];
  } else if (order == mha::Order::LNE) {
    batch = shape[1];
  }
  return RankedTensorType::get({batch, heads, length, shape.back() / heads}, rows.getElementType());
}

/// Expands one mha.multihead_attention in front of it.
class Decomposition {
public:
  explicit Decomposition(mha::MultiheadAttentionOp op)
      : op(op), builder(op), loc(op.getLoc()), heads(op.getNumHeads()),
        embedDim(op.getQuery().getType().getShape().back()) {}

  void run() {
    Value query = projectHeads(op.getQuery(), 0);
    Value key = projectHeads(op.getKey(), 1);
    Value value = projectHeads(op.getValue(), 2);
    const double scale = 1.0 / std::sqrt(static_cast<double>(embedDim / heads));
    Type weightsType = op.getWeights() ? op.getWeights().getType() : Type();
    auto attention = mha::AttentionOp::create(
        builder, loc, query.getType(), weightsType, query, key, value, appended(op.getBiasK()),
        appended(op.getBiasV()), op.getAttnMask(), op.getKeyPaddingMask(),
        builder.getF64FloatAttr(scale), op.getIsCausalAttr(), op.getNanMaskedRowsAttr(),
        op.getAverageWeightsAttr());
    attention.getScore().takeBody(op.getScore());
    RankedTensorType resultType = op.getResult().getType();
    Value merged = mha::MergeHeadsOp::create(builder, loc, resultType.clone(builder.getF32Type()),
                                             attention.getResult(), op.getOrderAttr());
    Value result = project(merged, op.getOutProjWeight(), op.getOutProjBias(), {0, 0},
                           resultType.getElementType());
    op.getResult().replaceAllUsesWith(result);
    if (op.getWeights())
      op.getWeights().replaceAllUsesWith(attention.getWeights());
    op.erase();
  }

private:
  /// First row of a weight and first element of its bias.
  struct First {
    int64_t row, bias;
  };

  /// What lies between projections and attention is float32.
  Value project(Value x, Value weight, Value bias, First first, Type element) {
    SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape());
    shape.back() = embedDim;
    IntegerAttr biasFirst =
        bias && first.bias != first.row ? builder.getI64IntegerAttr(first.bias) : IntegerAttr();
    return mha::ProjectOp::create(builder, loc, RankedTensorType::get(shape, element), x, weight,
                                  bias, builder.getI64IntegerAttr(first.row), biasFirst);
  }

  /// Query (part 0), key (1) or value (2), projected and viewed as heads.
  Value projectHeads(Value x, int64_t part) {
    const bool isStacked = op.getInProjWeights().size() == 1;
    Value weight = op.getInProjWeights()[isStacked ? 0 : part];
    First first = {isStacked ? part * embedDim : 0, part * embedDim};
    Value rows = project(x, weight, op.getInProjBias(), first, builder.getF32Type());
    return mha::SplitHeadsOp::create(
        builder, loc, headsType(cast<RankedTensorType>(rows.getType()), op.getOrder(), heads), rows,
        op.getOrderAttr(), builder.getI64IntegerAttr(0));
  }

  /// bias_k or bias_v, which stand behind the projection and before the head split, and the zero
  /// row.
  Value appended(Value bias) {
    const int64_t count = op.getAppendedCount();
    if (count == 0)
      return {};
    auto type = RankedTensorType::get({heads, count, embedDim / heads}, builder.getF32Type());
    return mha::AppendedOp::create(builder, loc, type, bias);
  }

  mha::MultiheadAttentionOp op;
  OpBuilder builder;
  Location loc;
  const int64_t heads, embedDim;
};

struct DecomposeModulePass : impl::DecomposeModuleBase<DecomposeModulePass> {
  void runOnOperation() override {
    getOperation().walk([](mha::MultiheadAttentionOp op) { Decomposition(op).run(); });
  }
};
} // namespace
} // namespace attune
