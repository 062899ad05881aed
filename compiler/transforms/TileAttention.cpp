//===- TileAttention.cpp - Attention with the online softmax --------------===//
#include "transforms/AttentionTiling.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace attune {

namespace {
class AttentionTiler : AttentionTiling {
public:
  using AttentionTiling::AttentionTiling;

  LogicalResult run() {
    if (failed(prepare()))
      return failure();
    scf::IfOp::create(
        builder, loc, allocateSlots(),
        [&](OpBuilder &, Location) {
          buildByTiles();
          scf::YieldOp::create(builder, loc);
        },
        [&](OpBuilder &, Location) {
          buildByHeads();
          scf::YieldOp::create(builder, loc);
        });
    return success();
  }

private:
  /// Every tile is work of its own: all workers pack, then all attend. A head's slot is its number.
  void buildByTiles() {
    auto slot = [&](ValueRange point) {
      Value first = tile.multiply(point[0], stage.heads);
      return tile.apply(tile.d(0) + tile.d(1), {first, point[1]});
    };
    tile.forall({stage.batch, stage.heads, kvTiles},
                [&](ValueRange point) { packTile(point, slot(point)); });
    tile.forall({stage.batch, stage.heads, queryTiles},
                [&](ValueRange point) { attendTile(point, slot(point)); });
  }

  /// A worker packs a head into its own slot and attends it at once, while it is in its cache.
  void buildByHeads() {
    tile.forall({stage.batch, stage.heads}, [&](ValueRange head) {
      Value slot = mha::WorkerOp::create(builder, loc, builder.getIndexType());
      tile.loop(tile.constant(0), kvTiles, [&](Value t) { packTile({head[0], head[1], t}, slot); });
      tile.loop(tile.constant(0), queryTiles,
                [&](Value t) { attendTile({head[0], head[1], t}, slot); });
    });
  }

  /// Packed keys (and values) of a head take one slot. Returns whether there are too few heads to
  /// hand them out whole: then every head has a slot, else every worker takes one.
  Value allocateSlots() {
    Value workers = mha::WorkersOp::create(builder, loc, builder.getIndexType());
    Value heads = tile.multiply(stage.batch, stage.heads);
    Value wanted = tile.apply((tile.d(0) - 1) * tile.schedule.headsPerWorker, workers);
    Value fewHeads = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, heads, wanted);
    // At least as many as either way takes, and never fewer for a larger batch.
    Value most = arith::MaxSIOp::create(builder, loc, wanted, workers);
    allocatePacked(arith::MinSIOp::create(builder, loc, heads, most));
    return fewHeads;
  }

  void attendTile(ValueRange point, Value slot) {
    QueryTile q = queryTileAt(point, slot);
    auto start =
        mha::StartOp::create(builder, loc, tileType(queryTile, paddedHeadDim), statsType());
    KvBounds bounds = kvBounds(q);
    ValueRange full =
        kvLoop(bounds.first, bounds.full, start->getResults(),
               [&](Value t, ValueRange state) { return visit(q, t, state, /*visible=*/Value()); });
    ValueRange all = kvLoop(bounds.full, bounds.end, full, [&](Value t, ValueRange state) {
      return visit(q, t, state, bounds.visible);
    });
    SmallVector<Value> state(all);
    if (attend.getAppendedCount() > 0)
      state = step(q, appendedOperands(q), state, loadAppendedValue(q));
    mha::FinishOp::create(builder, loc, state[0], state[1], stage.target,
                          ValueRange{q.batch, q.head, q.first, tile.constant(0)}, q.count,
                          attend.getNanMaskedRowsAttr());
  }

  /// One kv tile, unless bool masks hide all of it. `visible` is the number of leading keys to look
  /// at, null on a full tile.
  SmallVector<Value> visit(const QueryTile &q, Value t, ValueRange state, Value visible) {
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
  std::pair<Value, Value> classify(const QueryTile &q, Value t, Value visible,
                                   ArrayRef<mha::ElementOp> masks) {
    Value some, all;
    auto conjoin = [&](Value &condition, Value next) {
      condition =
          condition ? arith::AndIOp::create(builder, loc, condition, next).getResult() : next;
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

  using Branch = llvm::function_ref<SmallVector<Value>()>;
  SmallVector<Value> branch(Value condition, Branch then, Branch otherwise) {
    auto yielding = [&](Branch build) {
      return [&, build](OpBuilder &, Location) { scf::YieldOp::create(builder, loc, build()); };
    };
    return SmallVector<Value>(
        scf::IfOp::create(builder, loc, condition, yielding(then), yielding(otherwise))
            .getResults());
  }

  SmallVector<Value> stepOnTile(const QueryTile &q, Value t, ValueRange state, Value visible,
                                RegionVariant variant) {
    ScoringOperands operands = scoringOperands(q, t, visible, variant);
    return step(q, operands, state, loadValue(q, t, operands.columns));
  }

  /// One step of the online softmax; state is the accumulator and its statistics.
  SmallVector<Value> step(const QueryTile &q, const ScoringOperands &operands, ValueRange state,
                          Value value) {
    auto scores = mha::ScoresOp::create(builder, loc, tileType(queryTile, kvTile),
                                        mha::RowsType::get(builder.getContext(), queryTile),
                                        statsType(), q.query, operands.key, state[1], q.batch,
                                        q.head, q.first, operands.firstKey, q.count,
                                        operands.columns, operands.tiles, attend.getScaleAttr());
    regions.build(scores, operands.variant, operands.keyLimit);
    Value acc = mha::AccumulateOp::create(builder, loc, state[0].getType(), state[0],
                                          scores.getRescale(), scores.getP(), value,
                                          /*projection=*/false);
    return {acc, scores.getNewStats()};
  }
};
} // namespace

LogicalResult buildAttention(TileBuilder &tile, const AttentionStage &stage) {
  return AttentionTiler(tile, stage).run();
}

} // namespace attune
