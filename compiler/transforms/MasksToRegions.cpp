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
/// Fills the regions of the mha.attend that replaces one mha.attention.
class RegionBuilder {
public:
  RegionBuilder(mha::AttentionOp op, mha::AttendOp attend)
      : op(op), attend(attend), loc(op.getLoc()), builder(op.getContext()) {}

  /// The caller's score, plus the float masks.
  void buildScore() {
    SmallVector<Value> added;
    for (Value mask : {Value(op.getAttnMask()), Value(op.getKeyPaddingMask())})
      if (mask && isFloat(mask))
        added.push_back(mask);
    if (op.getScore().empty() && added.empty())
      return;
    Value score;
    if (op.getScore().empty()) {
      startRegion(attend.getScore(), /*score=*/true);
      score = s;
    } else {
      attend.getScore().takeBody(op.getScore());
      takeArguments(attend.getScore().front(), /*score=*/true);
      auto yield = cast<mha::YieldOp>(attend.getScore().front().getTerminator());
      score = yield.getValue();
      yield.erase();
      builder.setInsertionPointToEnd(&attend.getScore().front());
    }
    for (Value mask : added)
      score = arith::AddFOp::create(builder, loc, score, element(mask));
    mha::YieldOp::create(builder, loc, score);
  }

  /// j <= i, and what the masks leave visible: a bool mask where it is 0, a float key_padding_mask
  /// where it is not -inf. The latter is added to scores as well, but a padded key that holds NaN
  /// is to be hidden, not added to.
  void buildKeep() {
    Value mask = op.getAttnMask(), padding = op.getKeyPaddingMask();
    const bool forbids = mask && !isFloat(mask);
    if (!op.getIsCausal() && !forbids && !padding)
      return;
    startRegion(attend.getKeep(), /*score=*/false);
    Value keep;
    auto conjoin = [&](Value next) {
      keep = keep ? arith::AndIOp::create(builder, loc, keep, next).getResult() : next;
    };
    if (op.getIsCausal())
      conjoin(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, j, i));
    if (padding)
      conjoin(visible(padding));
    if (forbids)
      conjoin(visible(mask));
    mha::YieldOp::create(builder, loc, keep);
  }

private:
  static bool isFloat(Value mask) { return isa<FloatType>(getElementTypeOrSelf(mask.getType())); }

  /// Starts the block of a region: (s,)? b, h, i, j.
  void startRegion(Region &region, bool score) {
    SmallVector<Type> types(4, builder.getIndexType());
    if (score)
      types.insert(types.begin(), builder.getF32Type());
    Block *block =
        builder.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
    takeArguments(*block, score);
  }

  void takeArguments(Block &block, bool score) {
    auto arguments = block.getArguments();
    if (score)
      s = arguments.front();
    arguments = arguments.take_back(4);
    b = arguments[0], h = arguments[1], i = arguments[2], j = arguments[3];
  }

  /// The mask's element at this point: [i, j], [b * H + h, i, j], or [b, j] and [j] of padding.
  Value element(Value mask) {
    auto type = cast<RankedTensorType>(mask.getType());
    SmallVector<Value> indices = {i, j};
    if (mask == op.getKeyPaddingMask()) {
      indices = {b, j};
      if (type.getRank() == 1)
        indices = {j};
    } else if (type.getRank() == 3) {
      const int64_t heads = op.getQuery().getType().getShape()[1];
      Value count = arith::ConstantIndexOp::create(builder, loc, heads);
      Value first = arith::MulIOp::create(builder, loc, b, count);
      indices.insert(indices.begin(), arith::AddIOp::create(builder, loc, first, h));
    }
    Type element = isFloat(mask) ? builder.getF32Type() : type.getElementType();
    return mha::ElementOp::create(builder, loc, element, mask, indices);
  }

  Value visible(Value mask) {
    Value value = element(mask);
    if (isFloat(mask)) {
      Value hidden =
          arith::ConstantFloatOp::create(builder, loc, builder.getF32Type(),
                                         APFloat::getInf(APFloat::IEEEsingle(), /*Negative=*/true));
      return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, value, hidden);
    }
    Value zero = arith::ConstantIntOp::create(builder, loc, builder.getI8Type(), 0);
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value, zero);
  }

  mha::AttentionOp op;
  mha::AttendOp attend;
  Location loc;
  OpBuilder builder;
  Value s, b, h, i, j;
};

void convert(mha::AttentionOp op) {
  OpBuilder builder(op);
  Type weightsType = op.getWeights() ? op.getWeights().getType() : Type();
  auto attend = mha::AttendOp::create(builder, op.getLoc(), op.getResult().getType(), weightsType,
                                      op.getQuery(), op.getKey(), op.getValue(),
                                      op.getAppendedKey(), op.getAppendedValue(), op.getScaleAttr(),
                                      op.getNanMaskedRowsAttr(), op.getAverageWeightsAttr());
  RegionBuilder regions(op, attend);
  regions.buildScore();
  regions.buildKeep();
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
