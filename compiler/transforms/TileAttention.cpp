//===- TileAttention.cpp - Attention as a program over tiles --------------===//
#include "transforms/KeepBounds.h"
#include "transforms/TileBuilder.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace attune {

namespace {
/// Fewer heads than this for each further worker are not handed out whole: the last ones would
/// finish alone.
constexpr int64_t kHeadsPerWorker = 8;

/// What one query tile knows while its kv loops are built.
struct QueryTile {
  Value batch, head, slot, first, count;
  Value query;
};

class AttentionTiler {
public:
  AttentionTiler(TileBuilder &tile, const AttentionStage &stage)
      : tile(tile), builder(tile.builder), stage(stage), attend(stage.attend), loc(tile.loc),
        queryTile(tile.schedule.queryTile), kvTile(tile.schedule.kvTile),
        panel(tile.schedule.keyPanel(tile.cpu)),
        paddedHeadDim(tile.schedule.paddedHeadDim(tile.cpu, stage.headDim)),
        conjuncts(keepConjuncts(attend.getKeep())) {}

  LogicalResult run() {
    if (failed(collectElements()))
      return failure();
    queryTiles = tile.ceilDiv(stage.targetLength, queryTile);
    kvTiles = tile.ceilDiv(stage.sourceLength, kvTile);
    scf::IfOp::create(
        builder, loc, allocatePacked(),
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
  /// The tensors that the regions read at (i, j): each becomes a tile operand.
  LogicalResult collectElements() {
    WalkResult result = attend->walk([&](mha::ElementOp element) {
      Block *block = element->getBlock();
      unsigned shift = block->getParent() == &attend.getScore() ? 1 : 0;
      if (element.getIndices().size() != 2 ||
          element.getIndices()[0] != block->getArgument(2 + shift) ||
          element.getIndices()[1] != block->getArgument(3 + shift)) {
        element.emitOpError() << "must be indexed by (i, j)";
        return WalkResult::interrupt();
      }
      if (!llvm::is_contained(elements, element.getSource()))
        elements.push_back(element.getSource());
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

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
      auto each = [&](Value count, llvm::function_ref<void(ValueRange)> body) {
        scf::ForOp::create(builder, loc, tile.constant(0), count, tile.constant(1), ValueRange(),
                           [&](OpBuilder &, Location, Value index, ValueRange) {
                             body({head[0], head[1], index});
                             scf::YieldOp::create(builder, loc);
                           });
      };
      each(kvTiles, [&](ValueRange point) { packTile(point, slot); });
      each(queryTiles, [&](ValueRange point) { attendTile(point, slot); });
    });
  }

  /// Packed keys (and values) of a head take one slot. Returns whether there are too few heads to
  /// hand them out whole: then every head has a slot, else every worker takes one.
  Value allocatePacked() {
    Value workers = mha::WorkersOp::create(builder, loc, builder.getIndexType());
    Value heads = tile.multiply(stage.batch, stage.heads);
    Value wanted = tile.apply((tile.d(0) - 1) * kHeadsPerWorker, workers);
    Value fewHeads = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, heads, wanted);
    // At least as many as either way takes, and never fewer for a larger batch.
    Value most = arith::MaxSIOp::create(builder, loc, wanted, workers);
    Value slots = arith::MinSIOp::create(builder, loc, heads, most);
    const int64_t dynamic = ShapedType::kDynamic;
    keys =
        tile.allocate({dynamic, dynamic, kvTile / panel, stage.headDim, panel}, {slots, kvTiles});
    packValue = tile.schedule.packValue == PackValue::PerHead;
    if (packValue)
      values = tile.allocate({dynamic, dynamic, paddedHeadDim}, {slots, stage.sourceLength});
    return fewHeads;
  }

  /// Packs the keys, and the values if the schedule says so, of one kv tile (batch, head, tile).
  void packTile(ValueRange point, Value slot) {
    Value zero = tile.constant(0);
    Value first = tile.apply(tile.d(0) * kvTile, point[2]);
    Value left = tile.min({builder.getAffineConstantExpr(kvTile), tile.d(0) - tile.d(1)},
                          {stage.sourceLength, first});
    scf::ForOp::create(builder, loc, zero, tile.ceilDiv(left, panel), tile.constant(1),
                       ValueRange(), [&](OpBuilder &, Location, Value index, ValueRange) {
                         Value row = tile.apply(tile.d(0) + tile.d(1) * panel, {first, index});
                         Value count = tile.min(
                             {builder.getAffineConstantExpr(panel), tile.d(0) - tile.d(1) * panel},
                             {left, index});
                         mha::PackOp::create(builder, loc, mha::PackKind::Panel, stage.key,
                                             ValueRange{point[0], point[1], row, zero}, count, keys,
                                             ValueRange{slot, point[2], index, zero, zero});
                         scf::YieldOp::create(builder, loc);
                       });
    if (packValue)
      mha::PackOp::create(builder, loc, mha::PackKind::Rows, stage.value,
                          ValueRange{point[0], point[1], first, zero}, left, values,
                          ValueRange{slot, first, zero});
  }

  void attendTile(ValueRange point, Value slot) {
    Value zero = tile.constant(0), one = tile.constant(1);
    QueryTile q{point[0], point[1], slot, tile.apply(tile.d(0) * queryTile, point[2]), {}, {}};
    q.count = tile.min({builder.getAffineConstantExpr(queryTile), tile.d(0) - tile.d(1)},
                       {stage.targetLength, q.first});
    q.query = tile.load(stage.query, {q.batch, q.head, q.first, zero}, q.count, {},
                        tileType(queryTile, stage.headDim));
    auto start = mha::StartOp::create(builder, loc, tileType(queryTile, paddedHeadDim),
                                      mha::StatsType::get(builder.getContext(), queryTile));
    Value visible = visibleColumns(q, /*byAllRows=*/false);
    Value full = tile.apply(tile.d(0).floorDiv(kvTile), visibleColumns(q, /*byAllRows=*/true));
    Value end = tile.ceilDiv(visible, kvTile);

    auto loop = [&](Value from, Value to, ValueRange carried, bool edge) {
      return scf::ForOp::create(builder, loc, from, to, one, carried,
                                [&](OpBuilder &, Location, Value t, ValueRange state) {
                                  scf::YieldOp::create(builder, loc,
                                                       step(q, t, state, edge ? visible : Value()));
                                });
    };
    auto fullTiles = loop(zero, full, start->getResults(), false);
    auto edgeTiles = loop(full, end, fullTiles.getResults(), true);
    mha::FinishOp::create(builder, loc, edgeTiles.getResult(0), edgeTiles.getResult(1),
                          stage.target, ValueRange{q.batch, q.head, q.first, zero}, q.count,
                          attend.getNanMaskedRowsAttr());
  }

  /// How many leading keys some row (or, byAllRows, every row) of the query tile may see by the
  /// upper bounds of keep: between 0 and S.
  Value visibleColumns(const QueryTile &q, bool byAllRows) {
    SmallVector<AffineExpr> limits = {tile.d(2)};
    for (const KeepConjunct &conjunct : conjuncts) {
      if (!conjunct.bound)
        continue;
      // j <= f*i + c over i in [first, first + count): the loosest or the tightest row decides.
      const UpperBound &bound = *conjunct.bound;
      AffineExpr i = tile.d(0);
      if ((bound.queryFactor > 0) != byAllRows)
        i = tile.d(0) + tile.d(1) - 1;
      limits.push_back(i * bound.queryFactor + bound.offset + 1);
    }
    Value columns = tile.min(limits, {q.first, q.count, stage.sourceLength});
    return arith::MaxSIOp::create(builder, loc, columns, tile.constant(0));
  }

  /// One kv tile. `visible` is the number of leading keys to look at, null on a full tile.
  SmallVector<Value> step(const QueryTile &q, Value t, ValueRange state, Value visible) {
    Value zero = tile.constant(0);
    Value first = tile.apply(tile.d(0) * kvTile, t);
    Value columns = tile.constant(kvTile);
    if (visible)
      columns = tile.min({builder.getAffineConstantExpr(kvTile), tile.d(0) - tile.d(1)},
                         {visible, first});
    Value key = tile.load(keys, {q.slot, t, zero, zero, zero}, columns, {},
                          mha::TileType::get(builder.getContext(), kvTile, stage.headDim,
                                             builder.getF32Type(), /*panel=*/true));
    auto scores = createScores(q, first, columns, key, state[1]);
    buildRegions(scores, static_cast<bool>(visible));
    mha::TileType valueType = tileType(kvTile, paddedHeadDim);
    Value value =
        packValue ? tile.load(values, {q.slot, first, zero}, columns, {}, valueType)
                  : tile.load(stage.value, {q.batch, q.head, first, zero}, columns, {}, valueType);
    Value acc = mha::AccumulateOp::create(builder, loc, state[0].getType(), state[0],
                                          scores.getRescale(), scores.getP(), value);
    return {acc, scores.getNewStats()};
  }

  mha::ScoresOp createScores(const QueryTile &q, Value first, Value columns, Value key,
                             Value stats) {
    SmallVector<Value> tiles;
    for (Value source : elements) {
      Value memref = stage.memrefOf(source);
      auto type = mha::TileType::get(builder.getContext(), queryTile, kvTile,
                                     cast<MemRefType>(memref.getType()).getElementType(), false);
      tiles.push_back(tile.load(memref, {q.first, first}, q.count, columns, type));
    }
    return mha::ScoresOp::create(builder, loc, tileType(queryTile, kvTile),
                                 mha::RowsType::get(builder.getContext(), queryTile),
                                 stats.getType(), q.query, key, stats, q.batch, q.head, q.first,
                                 first, q.count, columns, tiles, attend.getScaleAttr());
  }

  /// Copies the regions of attend. An edge tile runs every conjunct of keep and j < S; a full tile
  /// only the opaque ones.
  void buildRegions(mha::ScoresOp scores, bool edge) {
    if (!attend.getScore().empty()) {
      OpBuilder::InsertionGuard guard(builder);
      IRMapping mapping = startRegion(attend.getScore(), scores.getScore(), scores);
      auto yield = cast<mha::YieldOp>(attend.getScore().front().getTerminator());
      mha::YieldOp::create(builder, loc, cloneValue(yield.getValue(), mapping));
    }
    SmallVector<Value> kept;
    for (const KeepConjunct &conjunct : conjuncts)
      if (edge || !conjunct.bound)
        kept.push_back(conjunct.value);
    if (kept.empty() && !edge)
      return;
    OpBuilder::InsertionGuard guard(builder);
    IRMapping mapping = startRegion(attend.getKeep(), scores.getKeep(), scores);
    Value condition;
    auto conjoin = [&](Value next) {
      condition =
          condition ? arith::AndIOp::create(builder, loc, condition, next).getResult() : next;
    };
    if (edge)
      conjoin(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                    scores.getKeep().front().getArgument(3), stage.sourceLength));
    for (Value value : kept)
      conjoin(cloneValue(value, mapping));
    mha::YieldOp::create(builder, loc, condition);
  }

  /// Starts a region of scores and maps the arguments of attend's region, if there is one.
  IRMapping startRegion(Region &from, Region &to, mha::ScoresOp scores) {
    SmallVector<Type> types(4, builder.getIndexType());
    if (&to == &scores.getScore())
      types.insert(types.begin(), builder.getF32Type());
    size_t plain = types.size();
    for (Value operand : scores.getTiles())
      types.push_back(cast<mha::TileType>(operand.getType()).getElementType());
    Block *block = builder.createBlock(&to, {}, types, SmallVector<Location>(types.size(), loc));
    IRMapping mapping;
    if (!from.empty())
      mapping.map(from.front().getArguments(), block->getArguments().take_front(plain));
    elementArguments = block->getArguments().drop_front(plain);
    return mapping;
  }

  /// Clones what `value` is computed from; elements become the tile operands' arguments.
  Value cloneValue(Value value, IRMapping &mapping) {
    if (Value known = mapping.lookupOrNull(value))
      return known;
    Operation *op = value.getDefiningOp();
    if (auto element = dyn_cast<mha::ElementOp>(op)) {
      size_t index = llvm::find(elements, element.getSource()) - elements.begin();
      mapping.map(value, elementArguments[index]);
      return elementArguments[index];
    }
    for (Value operand : op->getOperands())
      cloneValue(operand, mapping);
    builder.clone(*op, mapping);
    return mapping.lookup(value);
  }

  mha::TileType tileType(int64_t rows, int64_t columns) {
    return mha::TileType::get(builder.getContext(), rows, columns, builder.getF32Type(), false);
  }

  TileBuilder &tile;
  OpBuilder &builder;
  const AttentionStage &stage;
  mha::AttendOp attend;
  Location loc;
  int64_t queryTile, kvTile, panel, paddedHeadDim;
  SmallVector<KeepConjunct> conjuncts;
  SmallVector<Value> elements;
  ArrayRef<BlockArgument> elementArguments;
  Value keys, values, queryTiles, kvTiles;
  bool packValue = false;
};
} // namespace

LogicalResult buildAttention(TileBuilder &tile, const AttentionStage &stage) {
  return AttentionTiler(tile, stage).run();
}

} // namespace attune
