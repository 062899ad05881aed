//===- OnlineTiling.cpp - The online softmax over kv tiles ----------------===//
#include "transforms/OnlineTiling.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace attune {

SmallVector<Value> OnlineTiling::start() {
  return mha::StartOp::create(builder, loc, tileType(queryTile, accColumns), statsType())
      ->getResults();
}

SmallVector<Value> OnlineTiling::visitKeys(const QueryTile &q, const KvBounds &bounds,
                                           ValueRange state) {
  ValueRange full = kvLoop(bounds.first, bounds.full, state, [&](Value t, ValueRange carried) {
    return visit(q, t, carried, /*visible=*/Value());
  });
  return kvLoop(bounds.full, bounds.end, full,
                [&](Value t, ValueRange carried) { return visit(q, t, carried, bounds.visible); });
}

void OnlineTiling::finish(const QueryTile &q, SmallVector<Value> state) {
  if (attend.getAppendedCount() > 0)
    state = step(q, appendedOperands(q), state, loadAppendedValue(q));
  mha::FinishOp::create(builder, loc, state[0], state[1], stage.target,
                        ValueRange{q.batch, q.head, q.first, tile.constant(0)}, q.count,
                        attend.getNanMaskedRowsAttr());
}

/// One kv tile, unless bool masks hide all of it. `visible` is the number of leading keys to look
/// at, null on a full tile.
SmallVector<Value> OnlineTiling::visit(const QueryTile &q, Value t, ValueRange state,
                                       Value visible) {
  SmallVector<mha::ElementOp> masks;
  for (const KeepConjunct &conjunct : regions.conjuncts())
    if (conjunct.isBoolMask())
      masks.push_back(conjunct.mask);
  const RegionVariant masked = {/*runsBounds=*/static_cast<bool>(visible), /*runsMasks=*/true};
  if (masks.empty())
    return stepOnTile(q, t, state, visible, masked);
  auto [someVisible, allVisible] = classify(q, t, visible, masks);
  return branch(
      someVisible,
      [&] {
        // An edge tile is rare; another kernel for it without masks would not pay.
        if (visible)
          return stepOnTile(q, t, state, visible, masked);
        return branch(
            allVisible,
            [&] { return stepOnTile(q, t, state, visible, {false, /*runsMasks=*/false}); },
            [&] { return stepOnTile(q, t, state, visible, masked); });
      },
      [&] { return SmallVector<Value>(state); });
}

/// Whether some key, and whether every key, may be visible to some row by every mask on its own.
std::pair<Value, Value> OnlineTiling::classify(const QueryTile &q, Value t, Value visible,
                                               ArrayRef<mha::ElementOp> masks) {
  Value some, all;
  auto conjoin = [&](Value &condition, Value next) {
    condition = condition ? arith::AndIOp::create(builder, loc, condition, next).getResult() : next;
  };
  for (mha::ElementOp mask : masks) {
    Value first = tile.apply(tile.d(0) * kvTile, t);
    auto classified =
        mha::ClassifyOp::create(builder, loc, builder.getI1Type(), builder.getI1Type(),
                                loadElement(q, mask, first, columnsOf(t, visible)));
    conjoin(some, classified.getSomeVisible());
    conjoin(all, classified.getAllVisible());
  }
  return {some, all};
}

SmallVector<Value> OnlineTiling::branch(Value condition, Branch then, Branch otherwise) {
  auto yielding = [&](Branch build) {
    return [&, build](OpBuilder &, Location) { scf::YieldOp::create(builder, loc, build()); };
  };
  return SmallVector<Value>(
      scf::IfOp::create(builder, loc, condition, yielding(then), yielding(otherwise)).getResults());
}

SmallVector<Value> OnlineTiling::stepOnTile(const QueryTile &q, Value t, ValueRange state,
                                            Value visible, RegionVariant variant) {
  ScoringOperands operands = scoringOperands(q, t, visible, variant);
  return step(q, operands, state, loadValue(q, t, operands.columns, variant.runsMasks));
}

/// One step of the online softmax; state is the accumulator and its statistics.
SmallVector<Value> OnlineTiling::step(const QueryTile &q, const ScoringOperands &operands,
                                      ValueRange state, Value value) {
  auto scores = mha::ScoresOp::create(builder, loc, operandTile(queryTile, kvTile),
                                      mha::RowsType::get(builder.getContext(), queryTile),
                                      statsType(), q.query, operands.key, state[1], q.batch, q.head,
                                      q.first, operands.firstKey, q.count, operands.columns,
                                      operands.tiles, attend.getScaleAttr());
  regions.build(scores, operands.variant, operands.keyLimit);
  Value acc = mha::AccumulateOp::create(builder, loc, state[0].getType(), state[0],
                                        scores.getRescale(), scores.getP(), value,
                                        /*projection=*/false, hasFewRows());
  return {acc, scores.getNewStats()};
}

} // namespace attune
