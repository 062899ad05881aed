//===- TileGraph.cpp - Graph IR to tile IR --------------------------------===//
#include "transforms/TileGraph.h"

#include "dialect/ScheduleAttribute.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "transforms/InterfaceViews.h"
#include "transforms/PackedHeads.h"
#include "transforms/PackedLayout.h"
#include "transforms/TileBuilder.h"
#include "transforms/TileParameters.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace attune {
#define GEN_PASS_DEF_TILEGRAPH
#include "transforms/TileGraph.h.inc"

namespace {
/// True for the orders in which heads are columns of rows; their views need rows of our own.
bool isRowOrder(mha::Order order) { return order != mha::Order::NHLD && order != mha::Order::HLD; }

/// Builds the tile function of one graph function, operation by operation.
class FunctionTiler {
public:
  FunctionTiler(func::FuncOp graph, const CpuSchedule &schedule, const CpuTraits &cpu)
      : graph(graph), builder(graph.getContext()), tile{builder, graph.getLoc(), schedule, cpu} {}

  LogicalResult run() {
    graph.walk([&](mha::SplitHeadsOp op) { order = op.getOrder(); });
    createFunction();
    for (Operation &op : graph.front().without_terminator())
      if (failed(lower(op)))
        return failure();
    func::ReturnOp::create(builder, tile.loc);
    graph.erase();
    return success();
  }

private:
  void createFunction();
  LogicalResult lower(Operation &op);
  void lower(mha::PackWeightOp op);
  void lower(mha::PackBiasOp op);
  LogicalResult lower(mha::PackAppendedOp op);
  void lower(mha::ProjectOp op);
  LogicalResult lower(mha::SplitHeadsOp op);
  LogicalResult lower(mha::AttendOp op);
  void findParts(mha::ProjectOp op, ProjectionStage &stage);
  std::optional<PackedPart> packedPart(mha::SplitHeadsOp split);
  PackedHeads packedHeadsOf(mha::AttendOp op);

  Value headsOf(Value memref, RankedTensorType heads, int64_t first, Value length);
  Value size(RankedTensorType type, unsigned dimension, Value symbol);
  Value rowCount(Value graphValue);
  /// L or S, which an operation has from its first operand.
  Value lengthOf(Value graphValue) {
    while (!lengths.contains(graphValue))
      graphValue = graphValue.getDefiningOp()->getOperand(0);
    return lengths.lookup(graphValue);
  }
  /// The rows of an activation as projections multiply them.
  Value operandRows(Value graphValue);
  /// `size` in calls with few rows of a target length, else 0.
  Value ifFew(Value targetLength, Value size) {
    return arith::SelectOp::create(builder, tile.loc, hasFewRows(tile, targetLength), size,
                                   tile.constant(0));
  }

  func::FuncOp graph, function;
  OpBuilder builder;
  TileBuilder tile;
  DenseMap<Value, Value>
      memrefs; ///< graph value -> memref, interface tensors in the caller's order
  DenseMap<Value, Value> operands;                ///< graph value -> its operandRows
  DenseMap<Value, Value> outputs;                 ///< returned graph value -> its argument
  DenseMap<Value, Value> lengths;                 ///< graph value -> L or S
  DenseMap<Operation *, PackedHeads> packedHeads; ///< of attends whose operands have been seen
  mha::Order order = mha::Order::NHLD;            ///< of all interface tensors
  Value packed, batchSymbol, targetSymbol, sourceSymbol;
};

void FunctionTiler::createFunction() {
  SmallVector<Type> types;
  SmallVector<BlockArgument> interface;
  SmallVector<Value> packedValues;
  SmallVector<DictionaryAttr> attributes;
  for (BlockArgument argument : graph.getArguments()) {
    if (graph.getArgAttr(argument.getArgNumber(), "mha.packed")) {
      packedValues.push_back(argument);
      continue;
    }
    interface.push_back(argument);
    types.push_back(interfaceType(cast<RankedTensorType>(argument.getType())));
    attributes.push_back(graph.getArgAttrDict(argument.getArgNumber()));
  }
  const bool isPack = graph.getName() == "pack";
  auto returned = graph.front().getTerminator()->getOperands();
  if (isPack)
    llvm::append_range(packedValues, returned);
  auto appendedOffset = graph->getParentOp()->getAttrOfType<IntegerAttr>("mha.appended_offset");
  int64_t packedSize;
  SmallVector<int64_t> offsets =
      packedOffsets(packedValues, appendedOffset ? appendedOffset.getInt() : 0, packedSize);
  const bool hasPacked = !packedValues.empty();
  const unsigned packedIndex = types.size();
  if (hasPacked)
    types.push_back(tile.floats({packedSize}));
  const unsigned outIndex = types.size();
  if (!isPack) {
    for (Type type : graph.getResultTypes())
      types.push_back(interfaceType(cast<RankedTensorType>(type)));
    types.append(3, builder.getIndexType());
  }
  builder.setInsertionPoint(graph);
  function =
      func::FuncOp::create(builder, tile.loc, graph.getName(), builder.getFunctionType(types, {}));
  for (auto [index, dictionary] : llvm::enumerate(attributes))
    function.setArgAttrs(index, dictionary);
  builder.setInsertionPointToStart(function.addEntryBlock());
  for (auto [index, argument] : llvm::enumerate(interface))
    memrefs[argument] = function.getArgument(index);
  if (hasPacked) {
    function.setArgAttr(packedIndex, "mha.packed", builder.getUnitAttr());
    packed = function.getArgument(packedIndex);
  }
  for (auto [value, offset] : llvm::zip(packedValues, offsets))
    memrefs[value] = packedView(tile, packed, offset, cast<RankedTensorType>(value.getType()));
  if (isPack)
    return;
  constexpr const char *outputNames[] = {"out", "weights"};
  for (auto [index, value] : llvm::enumerate(returned)) {
    function.setArgAttr(outIndex + index, "mha.output", builder.getStringAttr(outputNames[index]));
    outputs[value] = function.getArgument(outIndex + index);
  }
  const unsigned sizesIndex = outIndex + returned.size();
  batchSymbol = function.getArgument(sizesIndex);
  targetSymbol = function.getArgument(sizesIndex + 1);
  sourceSymbol = function.getArgument(sizesIndex + 2);
  for (BlockArgument argument : interface) {
    auto name = graph.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "mha.input");
    lengths[argument] = name && name == "query" ? targetSymbol : sourceSymbol;
  }
}

/// A length of 0 stays the symbol, for the reason of interfaceType; loops over no batch element
/// fold away.
Value FunctionTiler::size(RankedTensorType type, unsigned dimension, Value symbol) {
  const bool isOpen =
      type.isDynamicDim(dimension) || (type.getDimSize(dimension) == 0 && symbol != batchSymbol);
  return isOpen ? symbol : tile.constant(type.getDimSize(dimension));
}

/// Rows of an activation: the product of its leading dimensions, batch and length in either order.
Value FunctionTiler::rowCount(Value graphValue) {
  auto type = cast<RankedTensorType>(graphValue.getType());
  Value length = lengths.lookup(graphValue);
  if (type.getRank() == 2)
    return size(type, 0, length);
  const unsigned batch = order == mha::Order::NLE ? 0 : 1;
  return tile.multiply(size(type, batch, batchSymbol), size(type, 1 - batch, length));
}

Value FunctionTiler::operandRows(Value graphValue) {
  Value &rows = operands[graphValue];
  if (!rows) {
    Value count = rowCount(graphValue), view = rowsView(tile, memrefs.lookup(graphValue), count);
    rows = tile.multipliesPairs() ? tile.asPairs(view, count) : tile.asFloat32(view, count);
  }
  return rows;
}

Value FunctionTiler::headsOf(Value memref, RankedTensorType heads, int64_t first, Value length) {
  const HeadsForm form = {order, size(heads, 0, batchSymbol), heads.getDimSize(1), length,
                          heads.getDimSize(3)};
  return headsView(tile, memref, form, first);
}

LogicalResult FunctionTiler::lower(Operation &op) {
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case<mha::PackWeightOp, mha::PackBiasOp, mha::ProjectOp>([&](auto known) {
        lower(known);
        return success();
      })
      .Case([&](mha::SplitHeadsOp split) { return lower(split); })
      .Case<mha::PackAppendedOp, mha::AttendOp>([&](auto known) { return lower(known); })
      .Case<mha::AppendedOp, mha::MergeHeadsOp>([](auto) { return success(); }) // done with its use
      .Default([](Operation *other) {
        return other->emitOpError() << "has no tile form; the passes before should have removed it";
      });
}

void FunctionTiler::lower(mha::PackWeightOp op) {
  buildPackWeight(tile, op, memrefs.lookup(op.getWeight()), memrefs.lookup(op.getResult()));
}

void FunctionTiler::lower(mha::PackBiasOp op) {
  buildPackBias(tile, op, memrefs.lookup(op.getBias()), packed, memrefs.lookup(op.getResult()));
}

LogicalResult FunctionTiler::lower(mha::PackAppendedOp op) {
  auto appended = op.getAppended().getDefiningOp<mha::AppendedOp>();
  if (!appended)
    return op.emitOpError() << "must pack the result of mha.appended";
  Value bias = appended.getBias() ? memrefs.lookup(appended.getBias()) : Value();
  buildPackAppended(tile, op, bias, memrefs.lookup(op.getResult()));
  return success();
}

void FunctionTiler::lower(mha::ProjectOp op) {
  lengths[op.getResult()] = lengths.lookup(op.getX());
  ProjectionStage stage;
  stage.rows = rowCount(op.getX());
  stage.x = operandRows(op.getX());
  stage.weight = memrefs.lookup(op.getWeight());
  stage.bias = op.getBias() ? memrefs.lookup(op.getBias()) : Value();
  findParts(op, stage);
  if (Value out = outputs.lookup(op.getResult())) {
    memrefs[op.getResult()] = out;
    stage.target = rowsView(tile, out, stage.rows);
  } else if (stage.rowsIfFew()) {
    Value rows = stage.columns > 0 ? stage.rows : ifFew(stage.rowsIfFew(), stage.rows);
    stage.target = memrefs[op.getResult()] = tile.temporaryRows(rows, op.getColumns());
  } else if (stage.columns > 0) {
    stage.target = memrefs[op.getResult()] = tile.temporaryRows(stage.rows, stage.columns);
  }
  buildProjection(tile, stage);
}

/// Columns that attention takes packed; rows need no more than the columns that others read.
void FunctionTiler::findParts(mha::ProjectOp op, ProjectionStage &stage) {
  for (Operation *user : op.getResult().getUsers()) {
    auto split = dyn_cast<mha::SplitHeadsOp>(user);
    int64_t end = op.getColumns();
    if (std::optional<PackedPart> part = split ? packedPart(split) : std::nullopt) {
      stage.parts.push_back(*part);
      stage.length = size(split.getResult().getType(), 2, lengthOf(split.getResult()));
      continue;
    }
    if (split && isRowOrder(order))
      end = split.getFirst() +
            split.getResult().getType().getDimSize(1) * split.getResult().getType().getDimSize(3);
    stage.columns = std::max(stage.columns, end);
  }
  llvm::sort(stage.parts,
             [](const PackedPart &a, const PackedPart &b) { return a.first < b.first; });
}

/// The columns that `split` views, if attention takes them packed.
std::optional<PackedPart> FunctionTiler::packedPart(mha::SplitHeadsOp split) {
  Value heads = split.getResult();
  auto attend = heads.hasOneUse() ? dyn_cast<mha::AttendOp>(*heads.user_begin()) : mha::AttendOp();
  if (!attend || heads == attend.getQuery())
    return std::nullopt;
  const PackedHeads packed = packedHeadsOf(attend);
  if (!packed.keys)
    return std::nullopt;
  const bool isKey = heads == attend.getKey();
  auto type = split.getResult().getType();
  return PackedPart{isKey ? mha::PackKind::Panel : mha::PackKind::Rows,
                    isKey ? packed.keys : packed.values,
                    static_cast<int64_t>(split.getFirst()),
                    type.getDimSize(1),
                    type.getDimSize(3),
                    packed.rowsIfFew};
}

/// Buffers for keys and values that projections pack, or none if attention does so itself.
PackedHeads FunctionTiler::packedHeadsOf(mha::AttendOp op) {
  auto [known, isNew] = packedHeads.try_emplace(op);
  if (!isNew || !takesPackedHeads(tile, op, order))
    return known->second;
  auto type = cast<RankedTensorType>(op.getKey().getType());
  Value source = size(type, 2, lengthOf(op.getKey()));
  Value target = size(cast<RankedTensorType>(op.getQuery().getType()), 2, lengthOf(op.getQuery()));
  const FewRows few = op.getWeights() ? FewRows::Never : fewRowsOf(tile, target, source);
  if (few == FewRows::Always)
    return known->second;
  Value heads = tile.multiply(size(type, 0, batchSymbol), tile.constant(type.getDimSize(1)));
  known->second = allocatePackedHeads(tile, type.getDimSize(3), heads, source,
                                      few == FewRows::AsLengthSays ? target : Value());
  return known->second;
}

LogicalResult FunctionTiler::lower(mha::SplitHeadsOp op) {
  if (isRowOrder(order) && !op.getX().getDefiningOp<mha::ProjectOp>())
    return op.emitOpError() << "in this order must view the result of a projection";
  Value length = lengths.lookup(op.getX());
  lengths[op.getResult()] = length;
  const std::optional<PackedPart> part = packedPart(op);
  if (part && !part->rowsIfFew)
    return success();
  RankedTensorType type = op.getResult().getType();
  Value rows = size(type, 2, length);
  if (part) // calls with more rows have none to view
    rows = ifFew(part->rowsIfFew, rows);
  memrefs[op.getResult()] = headsOf(memrefs.lookup(op.getX()), type, op.getFirst(), rows);
  return success();
}

LogicalResult FunctionTiler::lower(mha::AttendOp op) {
  Value result = op.getResult();
  auto merge = result.hasOneUse() ? dyn_cast<mha::MergeHeadsOp>(*result.getUsers().begin())
                                  : mha::MergeHeadsOp();
  if (!merge)
    return op.emitOpError() << "must be used by one mha.merge_heads";
  auto type = cast<RankedTensorType>(result.getType());
  Value length = lengths.lookup(op.getQuery());
  lengths[merge.getResult()] = length;
  Value merged = outputs.lookup(merge.getResult());
  if (merged && isRowOrder(order))
    return op.emitOpError() << "in this order must be followed by an output projection";
  if (op.getWeights() && !outputs.contains(op.getWeights()))
    return op.emitOpError() << "has weights that are not returned";
  if (!merged)
    merged = tile.temporaryRows(rowCount(merge.getResult()),
                                merge.getResult().getType().getShape().back());
  memrefs[merge.getResult()] = merged;
  Value target = size(type, 2, length);
  auto memrefOf = [&](Value graphValue) { return memrefs.lookup(graphValue); };
  AttentionStage stage{op,
                       memrefs.lookup(op.getQuery()),
                       memrefs.lookup(op.getKey()),
                       memrefs.lookup(op.getValue()),
                       headsOf(merged, type, 0, target),
                       outputs.lookup(op.getWeights()),
                       size(type, 0, batchSymbol),
                       tile.constant(type.getDimSize(1)),
                       target,
                       size(op.getKey().getType(), 2, lengths.lookup(op.getKey())),
                       type.getDimSize(3),
                       packedHeads.lookup(op),
                       memrefOf};
  if (stage.packed.keys)
    stage.packed.keys =
        keysByTiles(tile, stage.packed.keys, stage.packed.heads, stage.sourceLength);
  return op.getWeights() ? buildAttentionWithWeights(tile, stage) : buildAttention(tile, stage);
}

struct TileGraphPass : impl::TileGraphBase<TileGraphPass> {
  void runOnOperation() override {
    CpuSchedule schedule;
    CpuTraits cpu;
    if (failed(mha::getSchedule(getOperation(), schedule, cpu)))
      return signalPassFailure();
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions)
      if (failed(FunctionTiler(function, schedule, cpu).run()))
        return signalPassFailure();
  }
};
} // namespace
} // namespace attune
