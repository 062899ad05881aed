//===- TileAttentionWeights.cpp - Attention that returns its weights ------===//
//
// The softmax is taken over whole rows, which lie in a scratch of one query tile by all keys:
// logits of every kv tile first, then their exponentials, then the products with the values.
//
//===----------------------------------------------------------------------===//
#include "transforms/AttentionTiling.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>

using namespace mlir;

namespace attune {

namespace {
class WeightsTiler : AttentionTiling {
public:
  WeightsTiler(TileBuilder &tile, const AttentionStage &stage)
      : AttentionTiling(tile, stage, tile.schedule.queryTile,
                        tile.schedule.paddedHeadDim(tile.cpu, stage.headDim),
                        /*allowsPairs=*/true),
        appendedWidth(attend.getAppendedCount() > 0 ? panel : 0) {}

  LogicalResult run() {
    if (failed(prepare()))
      return failure();
    if (!stage.packed.keys) {
      allocatePacked(tile.multiply(stage.batch, stage.heads));
      tile.forall({stage.batch, stage.heads, kvTiles},
                  [&](ValueRange point) { packTile(point, headNumber(point[0], point[1])); });
    }
    allocateRows();
    weights = stage.weights;
    if (attend.getAverageWeights())
      buildAveraged();
    else
      tile.forall({stage.batch, stage.heads, queryTiles},
                  [&](ValueRange point) { attendTile(point, /*add=*/false); });
    return success();
  }

private:
  /// Rows of scores, which become probabilities, and their copies for products of pairs.
  void allocateRows() {
    Value workers = mha::WorkersOp::create(builder, loc, builder.getIndexType());
    const int64_t dynamic = ShapedType::kDynamic;
    auto rowsOf = [&](int64_t columnsOfLine, Type type) {
      Value columns = tile.apply(tile.d(0) * kvTile + (appendedWidth + columnsOfLine), kvTiles);
      return tile.allocate({dynamic, queryTile, dynamic}, {workers, columns}, type);
    };
    // Rows that lie a power of two apart would share their places in caches: one more line.
    constexpr int64_t lineBytes = 64;
    scratch = rowsOf(lineBytes / 4, builder.getF32Type());
    if (pairs)
      rounded = rowsOf(lineBytes / 2, builder.getBF16Type());
  }

  /// A worker takes blocks of query tiles, which keys and values of a head serve while they are in
  /// its cache. The heads of a query tile come one after the other, in order: a sum does not depend
  /// on who is first.
  void buildAveraged() {
    const bool sumsInPlace = isFloat32(stage.weights);
    Value blockTiles = tilesOfBlock();
    if (!sumsInPlace)
      allocateSums(blockTiles);
    Value blocks = arith::CeilDivSIOp::create(builder, loc, queryTiles, blockTiles);
    tile.forall({stage.batch, blocks}, [&](ValueRange point) {
      firstOfBlock = tile.multiply(point[1], blockTiles);
      Value end =
          tile.min({tile.d(0) + tile.d(1), tile.d(2)}, {firstOfBlock, blockTiles, queryTiles});
      auto attendBlock = [&](Value head, bool add) {
        tile.loop(firstOfBlock, end, [&](Value t) { attendTile({point[0], head, t}, add); });
      };
      attendBlock(tile.constant(0), /*add=*/false);
      tile.loop(tile.constant(1), stage.heads,
                [&](Value head) { attendBlock(head, /*add=*/true); });
      if (!sumsInPlace)
        tile.loop(firstOfBlock, end, [&](Value t) { storeSums(point[0], t); });
    });
  }

  /// Query tiles of a block: as many as leave each worker some blocks, so that none waits long.
  Value tilesOfBlock() {
    constexpr int64_t blocksOfWorker = 4;
    Value workers = mha::WorkersOp::create(builder, loc, builder.getIndexType());
    Value wanted = arith::DivUIOp::create(builder, loc, tile.multiply(stage.batch, queryTiles),
                                          tile.apply(tile.d(0) * blocksOfWorker, workers));
    Value most = arith::MinSIOp::create(builder, loc, wanted, tile.constant(mostTilesOfBlock));
    return arith::MaxSIOp::create(builder, loc, most, tile.constant(1));
  }

  /// Sums of weights over the heads are float32, whatever type the result has: the rows of a block
  /// a worker.
  void allocateSums(Value blockTiles) {
    Value workers = mha::WorkersOp::create(builder, loc, builder.getIndexType());
    Value columns = tile.apply(tile.d(0) + attend.getAppendedCount(), stage.sourceLength);
    const int64_t dynamic = ShapedType::kDynamic;
    weights = tile.allocate({dynamic, dynamic, dynamic},
                            {workers, tile.apply(tile.d(0) * queryTile, blockTiles), columns});
  }

  void storeSums(Value batch, Value queryTileIndex) {
    Value zero = tile.constant(0);
    QueryTile q = queryTileAt({batch, zero, queryTileIndex}, /*slot=*/Value(), /*withRows=*/false);
    SmallVector<Value> source = sumsAt(q), target = weightsAt(q);
    source.push_back(zero);
    target.push_back(zero);
    tile.pack(mha::PackKind::Rows, {weights, source}, q.count, {stage.weights, target});
  }

  /// Where the sums of a query tile lie, without the column.
  SmallVector<Value> sumsAt(const QueryTile &q) {
    worker = mha::WorkerOp::create(builder, loc, builder.getIndexType());
    return {worker, tile.apply(tile.d(0) - tile.d(1) * queryTile, {q.first, firstOfBlock})};
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
    SmallVector<Value> place = rowAt(tile.constant(0));
    stats = mha::SoftmaxOp::create(builder, loc, statsType(), scratch, place, stats, q.count,
                                   columns, llvm::APFloat(scaleOfExponents()), rounded,
                                   rounded ? ValueRange(place) : ValueRange());
    Value acc = buildProducts(q, bounds, start.getAcc());
    mha::FinishOp::create(builder, loc, acc, stats, stage.target,
                          ValueRange{q.batch, q.head, q.first, tile.constant(0)}, q.count,
                          attend.getNanMaskedRowsAttr());
    emitWeights(q, bounds, stats, add);
  }

  /// Where scores of the keys from `key` on lie in the scratch; those appended come first.
  SmallVector<Value> keyAt(Value key) { return rowAt(tile.apply(tile.d(0) + appendedWidth, key)); }
  SmallVector<Value> rowAt(Value column) { return {worker, tile.constant(0), column}; }

  /// The scale waits for the exponentials, where no score region takes it, if it leaves the order
  /// of scores as it is and their factor is an ordinary number.
  double scaleOfExponents() {
    const double scale = attend.getScale().convertToDouble();
    const float factor = static_cast<float>(scale * M_LOG2E);
    return attend.getScore().empty() && std::isnormal(factor) && factor > 0 ? scale : 1;
  }

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
    const double scale = attend.getScale().convertToDouble() / scaleOfExponents();
    auto op =
        mha::LogitsOp::create(builder, loc, statsType(), q.query, operands.key, stats, q.batch,
                              q.head, q.first, operands.firstKey, q.count, operands.columns,
                              operands.tiles, llvm::APFloat(scale), scratch, place);
    regions.build(op, operands.variant, operands.keyLimit);
    return op.getNewStats();
  }

  Value buildProducts(const QueryTile &q, const KvBounds &bounds, Value acc) {
    auto product = [&](Value sum, ArrayRef<Value> place, Value columns, Value value) -> Value {
      Value p = tile.load(rounded ? rounded : scratch, place, q.count, columns,
                          operandTile(queryTile, kvTile));
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
    SmallVector<Value> target = weights == stage.weights ? weightsAt(q) : sumsAt(q);
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

  /// Enough that keys and values of a head, which come from beyond the second-level cache, take
  /// little of the time.
  static constexpr int64_t mostTilesOfBlock = 4;

  Value firstOfBlock;          ///< the first query tile of the open block
  const int64_t appendedWidth; ///< columns of the scratch in front of the given keys
  Value scratch, worker;
  Value rounded; ///< copies of the rows of scratch in bfloat16, or null
  Value weights; ///< where weights are emitted: the result, or sums of each worker
};
} // namespace

LogicalResult buildAttentionWithWeights(TileBuilder &tile, const AttentionStage &stage) {
  return WeightsTiler(tile, stage).run();
}

} // namespace attune
