//===- TileAttention.cpp - Attention with the online softmax --------------===//
#include "transforms/TileFewRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace attune {

namespace {
class AttentionTiler : public OnlineTiling {
public:
  AttentionTiler(TileBuilder &tile, const AttentionStage &stage)
      : OnlineTiling(tile, stage, tile.schedule.queryTile,
                     tile.schedule.paddedHeadDim(tile.cpu, stage.headDim), /*allowsPairs=*/true) {}

  /// Packed keys (and values) of a head take one slot. With `unused` true, a condition of the call,
  /// there are no slots; null stands for false.
  void allocate(Value unused) {
    Value workers = mha::WorkersOp::create(builder, loc, builder.getIndexType());
    Value heads = tile.multiply(stage.batch, stage.heads);
    Value wanted = tile.apply((tile.d(0) - 1) * tile.schedule.headsPerWorker, workers);
    fewHeads = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, heads, wanted);
    if (stage.packed.keys)
      return;
    // At least as many as either way takes, and never fewer for a larger batch.
    Value most = arith::MaxSIOp::create(builder, loc, wanted, workers);
    Value slots = arith::MinSIOp::create(builder, loc, heads, most);
    if (unused)
      slots = arith::SelectOp::create(builder, loc, unused, tile.constant(0), slots);
    allocatePacked(slots);
  }

  /// With too few heads to hand them out whole every head has a slot, else every worker takes one.
  void build() {
    scf::IfOp::create(
        builder, loc, fewHeads,
        [&](OpBuilder &, Location) {
          buildByTiles();
          scf::YieldOp::create(builder, loc);
        },
        [&](OpBuilder &, Location) {
          buildByHeads();
          scf::YieldOp::create(builder, loc);
        });
  }

private:
  /// Every tile is work of its own: all workers pack, then all attend. A head's slot is its number.
  void buildByTiles() {
    auto slot = [&](ValueRange point) { return headNumber(point[0], point[1]); };
    if (!stage.packed.keys)
      tile.forall({stage.batch, stage.heads, kvTiles},
                  [&](ValueRange point) { packTile(point, slot(point)); });
    tile.forall({stage.batch, stage.heads, queryTiles},
                [&](ValueRange point) { attendTile(point, slot(point)); });
  }

  /// A worker packs a head into its own slot and attends it at once, while it is in its cache.
  void buildByHeads() {
    tile.forall({stage.batch, stage.heads}, [&](ValueRange head) {
      Value slot;
      if (stage.packed.keys) {
        slot = headNumber(head[0], head[1]);
      } else {
        slot = mha::WorkerOp::create(builder, loc, builder.getIndexType());
        tile.loop(tile.constant(0), kvTiles,
                  [&](Value t) { packTile({head[0], head[1], t}, slot); });
      }
      tile.loop(tile.constant(0), queryTiles,
                [&](Value t) { attendTile({head[0], head[1], t}, slot); });
    });
  }

  void attendTile(ValueRange point, Value slot) {
    QueryTile q = queryTileAt(point, slot);
    SmallVector<Value> state = start();
    finish(q, visitKeys(q, kvBounds(q), state));
  }

  Value fewHeads;
};
} // namespace

/// A static number of query rows, or nothing.
static std::optional<int64_t> staticRows(Value targetLength) {
  APInt rows;
  return matchPattern(targetLength, m_ConstantInt(&rows)) ? std::optional(rows.getSExtValue())
                                                          : std::nullopt;
}

FewRows fewRowsOf(const TileBuilder &tile, Value targetLength, Value sourceLength) {
  if (const std::optional<int64_t> rows = staticRows(targetLength))
    return *rows <= tile.schedule.fewRows ? FewRows::Always : FewRows::Never;
  // Of itself a few rows are a few keys: not worth a program of their own.
  return tile.schedule.fewRows > 0 && targetLength != sourceLength ? FewRows::AsLengthSays
                                                                   : FewRows::Never;
}

Value hasFewRows(TileBuilder &tile, Value targetLength) {
  return arith::CmpIOp::create(tile.builder, tile.loc, arith::CmpIPredicate::sle, targetLength,
                               tile.constant(tile.schedule.fewRows));
}

/// Both programs, and the length that chooses.
static LogicalResult buildEither(TileBuilder &tile, const AttentionStage &stage) {
  OpBuilder &builder = tile.builder;
  FewRowsTiler few(tile, stage, tile.schedule.fewRows);
  AttentionTiler many(tile, stage);
  if (failed(few.prepare()))
    return failure();
  many.prepareAs(few);
  Value hasFew = hasFewRows(tile, stage.targetLength);
  few.allocate(hasFew);
  many.allocate(hasFew);
  auto building = [&](auto &tiler) {
    return [&](OpBuilder &, Location) {
      tiler.build();
      scf::YieldOp::create(builder, tile.loc);
    };
  };
  scf::IfOp::create(builder, tile.loc, hasFew, building(few), building(many));
  return success();
}

template <typename Tiler> static LogicalResult buildOnly(Tiler tiler) {
  if (failed(tiler.prepare()))
    return failure();
  tiler.allocate(Value());
  tiler.build();
  return success();
}

LogicalResult buildAttention(TileBuilder &tile, const AttentionStage &stage) {
  switch (fewRowsOf(tile, stage.targetLength, stage.sourceLength)) {
  case FewRows::Never:
    return buildOnly(AttentionTiler(tile, stage));
  case FewRows::Always:
    return buildOnly(FewRowsTiler(tile, stage, *staticRows(stage.targetLength)));
  case FewRows::AsLengthSays:
    return buildEither(tile, stage);
  }
  llvm_unreachable("of FewRows");
}

} // namespace attune
