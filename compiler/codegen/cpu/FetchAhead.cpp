//===- FetchAhead.cpp - What a worker will read in its next head ----------===//
//
// Loads wait for memory where a worker starts with a head: transposing its keys, and meeting its
// values for the first time. The products with the values of the head before have load slots to
// spare, so that they fetch these into the second-level cache, line by line.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/KernelAssigner.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace attune::cpu {

namespace {
constexpr int64_t kLineBytes = 64;
/// Of what is fetched, so that it neither pushes out the current head nor itself.
constexpr int64_t kMostBytes = 1 << 20;

/// Keys and values of the head that the loop's indices name, (N, H, S, K) memrefs, in the order of
/// use.
SmallVector<Value> streamsOf(scf::ForallOp loop) {
  llvm::SetVector<Value> streams;
  auto add = [&](Value memref, ValueRange indices) {
    if (cast<MemRefType>(memref.getType()).getRank() == 4 &&
        llvm::equal(indices.take_front(2), loop.getInductionVars()))
      streams.insert(memref);
  };
  loop.walk([&](Operation *op) {
    if (auto pack = dyn_cast<mha::PackOp>(op); pack && pack.getKind() == mha::PackKind::Panel)
      add(pack.getSource(), pack.getSourceIndices());
    else if (auto product = dyn_cast<mha::AccumulateOp>(op))
      if (auto load = product.getB().getDefiningOp<mha::LoadOp>())
        add(load.getSource(), load.getIndices());
  });
  return streams.takeVector();
}

/// The scores whose probabilities a product takes, if it may fetch ahead: products of pairs do not.
mha::ScoresOp scoresOf(mha::AccumulateOp op) {
  auto scores = op.getA().getDefiningOp<mha::ScoresOp>();
  const bool mayFetch = !op.getFewRows() && op.getRescale() && !multipliesPairs(op);
  return scores && mayFetch ? scores : mha::ScoresOp();
}

/// Builds the plan of a loop at its head.
class PlanBuilder {
public:
  PlanBuilder(KernelCaller &caller, scf::ForallOp loop)
      : caller(caller), builder(caller.builder()), loc(loop.getLoc()), loop(loop) {}

  Value build(ArrayRef<Value> streams, Value workers) {
    findNextHead(workers);
    int64_t jobs = 0;
    for (Value stream : streams)
      jobs += lines(stream);
    plan = caller.scratch("plan", {jobs, 3}, builder.getI32Type());
    Value none = caller.index(0), first = none, bytes = none;
    for (Value stream : streams) {
      auto type = cast<MemRefType>(stream.getType());
      Value length = memref::DimOp::create(builder, loc, stream, 2);
      bytes = add(bytes, multiply(length, type.getShape().back() * elementBytes(stream)));
      Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, bytes,
                                         caller.index(kMostBytes));
      Value isFetched = arith::AndIOp::create(builder, loc, exists, fits);
      auto ifFetched = [&](Value value) {
        return arith::SelectOp::create(builder, loc, isFetched, value, none).getResult();
      };
      auto [address, stride] = nextHeadOf(stream);
      storeLines(first, lines(stream), ifFetched(address), stride,
                 ifFetched(caller.index(kLineBytes)));
      first = add(first, caller.index(lines(stream)));
    }
    return plan;
  }

private:
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value multiply(Value a, int64_t b) {
    return arith::MulIOp::create(builder, loc, a, caller.index(b));
  }
  int64_t elementBytes(Value memref) { return cpu::elementBytes(caller.elementType(memref)); }
  int64_t lines(Value stream) {
    const int64_t columns = cast<MemRefType>(stream.getType()).getShape().back();
    return llvm::divideCeil(columns * elementBytes(stream), kLineBytes);
  }

  /// Workers take heads in turn, if they take equally long.
  void findNextHead(Value workers) {
    SmallVector<OpFoldResult> bounds = loop.getMixedUpperBound();
    auto bound = [&](unsigned k) {
      return getValueOrCreateConstantIndexOp(builder, loc, bounds[k]);
    };
    SmallVector<Value> head = loop.getInductionVars();
    Value heads = bound(1), all = arith::MulIOp::create(builder, loc, bound(0), heads);
    Value number = add(arith::MulIOp::create(builder, loc, head[0], heads), head[1]);
    Value next = add(number, workers);
    exists = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, next, all);
    batch = arith::DivUIOp::create(builder, loc, next, heads);
    headOfBatch = arith::RemUIOp::create(builder, loc, next, heads);
  }

  Value addressOf(Value memref) {
    auto whole = memref::ExtractStridedMetadataOp::create(builder, loc, memref);
    Value start =
        memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, whole.getBaseBuffer());
    return add(start, multiply(whole.getOffset(), elementBytes(memref)));
  }

  /// The first row of the next head, and the stride of rows, in bytes.
  std::pair<Value, Value> nextHeadOf(Value stream) {
    const int64_t element = elementBytes(stream);
    auto whole = memref::ExtractStridedMetadataOp::create(builder, loc, stream);
    Value place = add(arith::MulIOp::create(builder, loc, batch, whole.getStrides()[0]),
                      arith::MulIOp::create(builder, loc, headOfBatch, whole.getStrides()[1]));
    return {add(addressOf(stream), multiply(place, element)),
            multiply(whole.getStrides()[2], element)};
  }

  /// Jobs for successive lines of the same rows.
  void storeLines(Value first, int64_t count, Value address, Value stride, Value step) {
    auto loop =
        scf::ForOp::create(builder, loc, caller.index(0), caller.index(count), caller.index(1));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value line = loop.getInductionVar(), job = add(first, line);
    Value place = add(address, arith::MulIOp::create(builder, loc, line, step));
    Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
    Value bits = arith::IndexCastOp::create(builder, loc, i64, place);
    Value half = arith::ConstantIntOp::create(builder, loc, i64, 32);
    Value high = arith::ShRUIOp::create(builder, loc, bits, half);
    Value values[] = {arith::TruncIOp::create(builder, loc, i32, bits),
                      arith::TruncIOp::create(builder, loc, i32, high),
                      arith::IndexCastOp::create(builder, loc, i32, stride)};
    for (auto [position, value] : llvm::enumerate(values))
      memref::StoreOp::create(builder, loc, value, plan, ValueRange{job, caller.index(position)});
  }

  KernelCaller &caller;
  OpBuilder &builder;
  Location loc;
  scf::ForallOp loop;
  Value plan, exists, batch, headOfBatch;
};
} // namespace

void KernelAssigner::planAhead(scf::ForallOp loop) {
  plan = Value();
  bool fetches = false;
  mha::FinishOp finish;
  loop.walk([&](mha::AccumulateOp op) { fetches |= static_cast<bool>(scoresOf(op)); });
  loop.walk([&](mha::FinishOp op) { finish = op; });
  if (loop.getInductionVars().size() != 2 || !fetches || !finish)
    return;
  SmallVector<Value> streams = streamsOf(loop);
  caller.setPlace(loop);
  OpBuilder &builder = caller.builder();
  Value workers = mha::WorkersOp::create(builder, loop.getLoc(), builder.getIndexType());
  caller.setPlace(&loop.getBody()->front());
  plan = PlanBuilder(caller, loop).build(streams, workers);
  queryLength = memref::DimOp::create(builder, loop.getLoc(), finish.getTarget(), 2);
}

bool KernelAssigner::fetchesAhead(mha::AccumulateOp op) const {
  return plan && static_cast<bool>(scoresOf(op));
}

/// Jobs go to the row blocks of a head from its last tile backwards, since only its last tiles meet
/// all keys where keep is causal, and are spread over as many of these blocks as can be.
void KernelAssigner::appendFetchOperands(mha::AccumulateOp op, SmallVector<Value> &operands) {
  mha::ScoresOp scores = scoresOf(op);
  OpBuilder &builder = caller.builder();
  Location loc = op.getLoc();
  const int64_t block = caller.schedule().values.rows;
  const int64_t jobs = cast<MemRefType>(plan.getType()).getDimSize(0);
  Value end = arith::AddIOp::create(builder, loc, scores.getFirstQuery(), scores.getCount());
  Value after = arith::SubIOp::create(builder, loc, queryLength, end);
  Value blocks = arith::DivUIOp::create(builder, loc, queryLength, caller.index(block));
  Value spread = caller.index(1);
  constexpr int64_t mostSpread = 8;
  for (int64_t next = 2; next <= mostSpread; next *= 2) {
    Value enough = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, blocks,
                                         caller.index(jobs * next));
    spread = arith::SelectOp::create(builder, loc, enough, caller.index(next), spread);
  }
  llvm::append_values(operands, plan, caller.ceilDiv(after, block), scores.getFirstKey(), spread);
}

} // namespace attune::cpu
