//===- TileAttentionWeights.cpp - Attention that returns its weights ------===//
//
// The softmax is taken over whole rows, which lie in a scratch of one query tile by all keys:
// logits of every kv tile first, then their exponentials, then the products with the values.
//
//===----------------------------------------------------------------------===//
#include "transforms/AttentionTiling.h"

using namespace mlir;

namespace attune {

namespace {
class WeightsTiler : AttentionTiling {
public:
  WeightsTiler(TileBuilder &tile, const AttentionStage &stage)
      : AttentionTiling(tile, stage, tile.schedule.queryTile,
                        tile.schedule.paddedHeadDim(tile.cpu, stage.headDim)),
        appendedWidth(attend.getAppendedCount() > 0 ? panel : 0) {}

  LogicalResult run() {
    if (failed(prepare()))
      return failure();
    allocatePacked(tile.multiply(stage.batch, stage.heads));
    tile.forall({stage.batch, stage.heads, kvTiles},
                [&](ValueRange point) { packTile(point, headNumber(point[0], point[1])); });
    Value workers = mha::WorkersOp::create(builder, loc, builder.getIndexType());
    const int64_t dynamic = ShapedType::kDynamic;
    scratch = tile.allocate({dynamic, queryTile, dynamic},
                            {workers, tile.apply(tile.d(0) * kvTile + appendedWidth, kvTiles)});
    weights = stage.weights;
    if (attend.getAverageWeights())
      buildAveraged();
    else
      tile.forall({stage.batch, stage.heads, queryTiles},
                  [&](ValueRange point) { attendTile(point, /*add=*/false); });
    return success();
  }

private:
  /// The heads of a query tile one after the other, in order: a sum does not depend on who is
  /// first.
  void buildAveraged() {
    const bool sumsInPlace = isFloat32(stage.weights);
    if (!sumsInPlace)
      allocateSums();
    tile.forall({stage.batch, queryTiles}, [&](ValueRange point) {
      attendTile({point[0], tile.constant(0), point[1]}, /*add=*/false);
      tile.loop(tile.constant(1), stage.heads,
                [&](Value head) { attendTile({point[0], head, point[1]}, /*add=*/true); });
      if (!sumsInPlace)
        storeSums(point[0], point[1]);
    });
  }

  /// Sums of weights over the heads are float32, whatever type the result has: a query tile of
  /// rows a worker.
  void allocateSums() {
    Value workers = mha::WorkersOp::create(builder, loc, builder.getIndexType());
    Value columns = tile.apply(tile.d(0) + attend.getAppendedCount(), stage.sourceLength);
    weights =
        tile.allocate({ShapedType::kDynamic, queryTile, ShapedType::kDynamic}, {workers, columns});
  }

  void storeSums(Value batch, Value queryTileIndex) {
    Value zero = tile.constant(0);
    QueryTile q = queryTileAt({batch, zero, queryTileIndex}, /*slot=*/Value(), /*withRows=*/false);
    SmallVector<Value> target = weightsAt(q);
    target.push_back(zero);
    worker = mha::WorkerOp::create(builder, loc, builder.getIndexType());
    tile.pack(mha::PackKind::Rows, {weights, {worker, zero, zero}}, q.count,
              {stage.weights, target});
  }

  /// Where the weights of a query tile lie in the result, without the column.
  SmallVector<Value> weightsAt(const QueryTile &q) {
    const bool averaged = attend.getAverageWeights();
    const int64_t rank = cast<MemRefType>(stage.weights.getType()).getRank();
    SmallVector<Value> place;
    if (rank == (averaged ? 3 : 4))
      place.push_back(q.batch);
    if (!averaged)
      place.push_back(q.head);
    place.push_back(q.first);
    return place;
  }

  void attendTile(ValueRange point, bool add) {
    QueryTile q = queryTileAt(point, headNumber(point[0], point[1]));
    worker = mha::WorkerOp::create(builder, loc, builder.getIndexType());
    auto start = mha::StartOp::create(builder, loc, tileType(queryTile, accColumns), statsType());
    KvBounds bounds = kvBounds(q);
    // Hidden tiles in front are visited: their weights are zeros like any other.
    bounds.first = tile.constant(0);
    Value stats = buildLogits(q, bounds, start.getStats());
    Value columns = tile.apply(tile.d(0).ceilDiv(panel) * panel + appendedWidth, bounds.visible);
    stats = mha::SoftmaxOp::create(builder, loc, statsType(), scratch, rowAt(tile.constant(0)),
                                   stats, q.count, columns);
    Value acc = buildProducts(q, bounds, start.getAcc());
    mha::FinishOp::create(builder, loc, acc, stats, stage.target,
                          ValueRange{q.batch, q.head, q.first, tile.constant(0)}, q.count,
                          attend.getNanMaskedRowsAttr());
    emitWeights(q, bounds, stats, add);
  }

  /// Where scores of the keys from `key` on lie in the scratch; those appended come first.
  SmallVector<Value> keyAt(Value key) { return rowAt(tile.apply(tile.d(0) + appendedWidth, key)); }
  SmallVector<Value> rowAt(Value column) { return {worker, tile.constant(0), column}; }

  Value buildLogits(const QueryTile &q, const KvBounds &bounds, Value stats) {
    auto logitsOf = [&](Value visible) {
      return [&, visible](Value t, ValueRange state) -> SmallVector<Value> {
        ScoringOperands operands =
            scoringOperands(q, t, visible, {/*runsBounds=*/static_cast<bool>(visible)});
        return {logits(q, operands, state[0], keyAt(operands.firstKey))};
      };
    };
    ValueRange full = kvLoop(bounds.first, bounds.full, stats, logitsOf({}));
    stats = kvLoop(bounds.full, bounds.end, full, logitsOf(bounds.visible)).front();
    if (appendedWidth > 0)
      stats = logits(q, appendedOperands(q), stats, rowAt(tile.constant(0)));
    return stats;
  }

  Value logits(const QueryTile &q, const ScoringOperands &operands, Value stats,
               ArrayRef<Value> place) {
    auto op =
        mha::LogitsOp::create(builder, loc, statsType(), q.query, operands.key, stats, q.batch,
                              q.head, q.first, operands.firstKey, q.count, operands.columns,
                              operands.tiles, attend.getScaleAttr(), scratch, place);
    regions.build(op, operands.variant, operands.keyLimit);
    return op.getNewStats();
  }

  Value buildProducts(const QueryTile &q, const KvBounds &bounds, Value acc) {
    auto product = [&](Value sum, ArrayRef<Value> place, Value columns, Value value) -> Value {
      Value p = tile.load(scratch, place, q.count, columns, tileType(queryTile, kvTile));
      return mha::AccumulateOp::create(builder, loc, sum.getType(), sum, Value(), p, value,
                                       /*projection=*/false);
    };
    acc = kvLoop(bounds.first, bounds.end, acc, [&](Value t, ValueRange state) {
            Value columns = columnsOf(t, bounds.visible);
            Value first = tile.apply(tile.d(0) * kvTile, t);
            return SmallVector<Value>{
                product(state[0], keyAt(first), columns, loadValue(q, t, columns, true))};
          }).front();
    if (appendedWidth > 0)
      acc = product(acc, rowAt(tile.constant(0)), appendedCount(), loadAppendedValue(q));
    return acc;
  }

  /// The weights of the given keys, then those of the appended ones.
  void emitWeights(const QueryTile &q, const KvBounds &bounds, Value stats, bool add) {
    const bool averaged = attend.getAverageWeights();
    const double factor = averaged ? 1.0 / attend.getQuery().getType().getDimSize(1) : 1.0;
    SmallVector<Value> target =
        weights == stage.weights ? weightsAt(q) : SmallVector<Value>{worker, tile.constant(0)};
    auto emit = [&](ArrayRef<Value> place, Value visited, Value column, Value columns) {
      SmallVector<Value> indices = target;
      indices.push_back(column);
      mha::EmitWeightsOp::create(builder, loc, scratch, place, stats, visited, weights, indices,
                                 q.count, columns, llvm::APFloat(factor), add,
                                 attend.getNanMaskedRows());
    };
    Value zero = tile.constant(0);
    emit(keyAt(zero), bounds.visible, zero, stage.sourceLength);
    if (appendedWidth > 0)
      emit(rowAt(zero), appendedCount(), stage.sourceLength, appendedCount());
  }

  const int64_t appendedWidth; ///< columns of the scratch in front of the given keys
  Value scratch, worker;
  Value weights; ///< where weights are emitted: the result, or sums of each worker
};
} // namespace

LogicalResult buildAttentionWithWeights(TileBuilder &tile, const AttentionStage &stage) {
  return WeightsTiler(tile, stage).run();
}

} // namespace attune
