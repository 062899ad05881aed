//===- MasksToRegions.cpp - Masks become score and keep regions -----------===//
#include "transforms/MasksToRegions.h"

#include "dialect/Mha.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace attune {
#define GEN_PASS_DEF_MASKSTOREGIONS
#include "transforms/MasksToRegions.h.inc"

namespace {
/// Starts the block of a region: (s,)? b, h, i, j.
Block *startRegion(OpBuilder &builder, Region &region, Location loc, bool score) {
  SmallVector<Type> types(4, builder.getIndexType());
  if (score)
    types.insert(types.begin(), builder.getF32Type());
  return builder.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
}

/// s + mask[i, j]
void buildScore(OpBuilder &builder, mha::AttendOp attend, Value mask) {
  Location loc = attend.getLoc();
  OpBuilder::InsertionGuard guard(builder);
  Block *block = startRegion(builder, attend.getScore(), loc, true);
  Value s = block->getArgument(0), i = block->getArgument(3), j = block->getArgument(4);
  Value element =
      mha::ElementOp::create(builder, loc, builder.getF32Type(), mask, ValueRange{i, j});
  mha::YieldOp::create(builder, loc, arith::AddFOp::create(builder, loc, s, element));
}

/// j <= i, and mask[i, j] == 0; either may be absent.
void buildKeep(OpBuilder &builder, mha::AttendOp attend, bool causal, Value mask) {
  Location loc = attend.getLoc();
  OpBuilder::InsertionGuard guard(builder);
  Block *block = startRegion(builder, attend.getKeep(), loc, false);
  Value i = block->getArgument(2), j = block->getArgument(3);
  Value keep;
  if (causal)
    keep = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, j, i);
  if (mask) {
    Value element =
        mha::ElementOp::create(builder, loc, builder.getI8Type(), mask, ValueRange{i, j});
    Value zero = arith::ConstantIntOp::create(builder, loc, builder.getI8Type(), 0);
    Value visible = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, element, zero);
    keep = keep ? arith::AndIOp::create(builder, loc, keep, visible).getResult() : visible;
  }
  mha::YieldOp::create(builder, loc, keep);
}

void convert(mha::AttentionOp op) {
  OpBuilder builder(op);
  auto attend = mha::AttendOp::create(builder, op.getLoc(), op.getResult().getType(), op.getQuery(),
                                      op.getKey(), op.getValue(), op.getScaleAttr(),
                                      op.getNanMaskedRowsAttr());
  Value mask = op.getAttnMask();
  bool isFloat = mask && isa<FloatType>(getElementTypeOrSelf(mask.getType()));
  if (isFloat)
    buildScore(builder, attend, mask);
  if (op.getIsCausal() || (mask && !isFloat))
    buildKeep(builder, attend, op.getIsCausal(), isFloat ? Value() : mask);
  op.replaceAllUsesWith(attend.getOperation());
  op.erase();
}

struct MasksToRegionsPass : impl::MasksToRegionsBase<MasksToRegionsPass> {
  void runOnOperation() override {
    getOperation().walk([](mha::AttentionOp op) { convert(op); });
  }
};
} // namespace
} // namespace attune
