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

void decompose(mha::MultiheadAttentionOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  int64_t heads = op.getNumHeads();
  int64_t embedDim = op.getQuery().getType().getShape().back();

  auto project = [&](Value x, Value weight, Value bias, int64_t first) -> Value {
    SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape());
    shape.back() = embedDim;
    return mha::ProjectOp::create(builder, loc, RankedTensorType::get(shape, builder.getF32Type()),
                                  x, weight, bias, builder.getI64IntegerAttr(first));
  };
  auto projectHeads = [&](Value x, int64_t part) -> Value {
    Value rows = project(x, op.getInProjWeight(), op.getInProjBias(), part * embedDim);
    return mha::SplitHeadsOp::create(
        builder, loc, headsType(cast<RankedTensorType>(rows.getType()), op.getOrder(), heads), rows,
        op.getOrderAttr(), builder.getI64IntegerAttr(0));
  };
  Value query = projectHeads(op.getQuery(), 0);
  Value key = projectHeads(op.getKey(), 1);
  Value value = projectHeads(op.getValue(), 2);
  const int64_t headDim = embedDim / heads;
  double scale = 1.0 / std::sqrt(static_cast<double>(headDim));
  auto attention = mha::AttentionOp::create(builder, loc, query.getType(), query, key, value,
                                            op.getAttnMask(), builder.getF64FloatAttr(scale),
                                            op.getIsCausalAttr(), op.getNanMaskedRowsAttr());
  Value merged = mha::MergeHeadsOp::create(builder, loc, op.getResult().getType(), attention,
                                           op.getOrderAttr());
  op.replaceAllUsesWith(project(merged, op.getOutProjWeight(), op.getOutProjBias(), 0));
  op.erase();
}

struct DecomposeModulePass : impl::DecomposeModuleBase<DecomposeModulePass> {
  void runOnOperation() override {
    getOperation().walk([](mha::MultiheadAttentionOp op) { decompose(op); });
  }
};
} // namespace
} // namespace attune
