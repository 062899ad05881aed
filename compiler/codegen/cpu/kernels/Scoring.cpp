//===- Scoring.cpp - What Scores and Logits share -------------------------===//

#include "codegen/cpu/kernels/Scoring.h"
#include "llvm/Support/raw_ostream.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::MemoryType;
using Halide::Param;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

ScoringKernel::ScoringKernel(const ScoringSpec &spec, const KernelTarget &target, bool foldScale)
    : lanes(target.vectorLanes), panelWidth(spec.block.vectors * target.vectorLanes),
      scaleIsFolded(foldScale), query(inputBuffer("query", 2)),
      key(inputBuffer("key", spec.keyRows ? 2 : 3, spec.keyType)), maxIn(inputBuffer("max_in", 1)),
      stored(inputBuffer("stored", 2)), spec(spec) {
  rows = roundedUp(count, spec.block.rows);
  lastRow = count - 1;
  for (size_t i = 0; i < spec.tiles.size(); ++i)
    tiles.push_back(inputBuffer("tile" + std::to_string(i), 2, spec.tiles[i].type));
  for (int i = 0; i < spec.scalars; ++i)
    scalars.emplace_back("scalar" + std::to_string(i));
  if (spec.keyRows)
    return;
  key.dim(1).set_stride(panelWidth);
  key.dim(2).set_stride(static_cast<int>(spec.depth) * panelWidth);
}

/// A region's index as a function of its own, computed for each block. Were it written out, bounds
/// inference would see through the selects of a region and compute only the products that a
/// condition lets through, in a block of run-time size.
Expr ScoringKernel::index(const std::string &name, const std::vector<Var> &over,
                          const Expr &value) {
  indices.emplace_back(name);
  indices.back()(over) = value;
  return indices.back()(std::vector<Expr>(over.begin(), over.end()));
}

RegionLeaves ScoringKernel::regionLeaves(const Expr &scaled) {
  RegionLeaves leaves{scaled,
                      index("batch_index", {}, batch),
                      index("head_index", {}, head),
                      index("query_index", {row}, firstQuery + row),
                      index("key_index", {column}, firstKey + column),
                      {},
                      {}};
  for (auto [tile, description] : llvm::zip_equal(tiles, spec.tiles)) {
    Expr element = tile(column, description.oneRow ? Expr(0) : min(row, lastRow));
    leaves.tileElements.push_back(description.type == ElementType::U8
                                      ? Halide::cast<int32_t>(element)
                                      : Halide::cast<float>(element));
  }
  for (const Param<int32_t> &scalar : scalars)
    leaves.scalars.push_back(index(scalar.name() + "_index", {}, scalar));
  return leaves;
}

Expr ScoringKernel::vectorsOfRow(Func tile, const Expr &panelIndex, Combine combine) const {
  std::vector<Expr> vectors;
  for (int v = 0; v < spec.block.vectors; ++v)
    vectors.push_back(tile(panelIndex * panelWidth + v * lanes + lane, row));
  return combineTree(std::move(vectors), combine);
}

void ScoringKernel::splitRows(Func &func) {
  func.bound(row, 0, rows)
      .split(row, block, blockRow, spec.block.rows, TailStrategy::RoundUp)
      .unroll(blockRow);
}

/// The products with keys in panels: one block of accumulators stays in registers over the whole
/// depth.
Func ScoringKernel::panelProducts() {
  const int depth = static_cast<int>(spec.depth), unroll = depth % 4 == 0 ? 4 : 1;
  Func dot("dot");
  RDom d(0, depth, "d");
  dot(column, row) = 0.0f;
  dot(column, row) +=
      query(d, min(row, lastRow)) * key(column % panelWidth, d, column / panelWidth);
  dot.compute_at(score, block).store_in(MemoryType::Stack);
  dot.vectorize(column, lanes).unroll(column).unroll(row);
  dot.update().reorder(column, row, d).vectorize(column, lanes).unroll(column).unroll(row);
  if (unroll > 1)
    dot.update().unroll(d, unroll);
  return dot;
}

/// `d`, the number of a line of a key row, and a prefetch of what lies at `address`.
static Expr fetchingAhead(const Expr &d, const Expr &address) {
  return pureCall(prefetchIndexFunction, {d, address});
}

/// The sums of products of one query row with each key of a group, lane by lane: an accumulator a
/// key, which are as many independent chains. Keys come from memory: each step along the depth
/// fetches the lines that the next group but one needs then.
Func ScoringKernel::partialProducts(const Var &keyRow) {
  const int depth = static_cast<int>(spec.depth), whole = depth / lanes, rest = depth % lanes;
  const Expr keyIndex = min(keyRow, key.dim(1).extent() - 1);
  auto product = [&](const Expr &queryAt, const Expr &keyAt) {
    return query(queryAt, row) * Halide::cast<float>(key(keyAt, keyIndex));
  };
  Func partial("partial");
  // What is left of a vector takes the last one of the row, of which it hides what others take.
  const Expr last = depth - lanes + lane;
  partial(lane, keyRow, row) =
      whole > 0 && rest > 0 ? select(lane < lanes - rest, 0.0f, product(last, last)) : Expr(0.0f);
  partial.compute_at(score, block).store_in(MemoryType::Stack);
  partial.bound(lane, 0, lanes).vectorize(lane, lanes).unroll(keyRow).unroll(row);
  if (whole == 0) {
    RDom d(0, depth, "d");
    partial(0, keyRow, row) += product(d, d);
    partial.update().reorder(keyRow, row, d).unroll(keyRow).unroll(row);
    return partial;
  }
  const int most = vectorsOfLine(lanes, key.type()), step = whole % most == 0 ? most : 1;
  RDom d(0, whole / step, "d");
  auto wide = [](const Expr &x) { return Halide::cast<uint64_t>(x); };
  constexpr int groupsAhead = 2;
  const Expr ahead = (wide(keyIndex) + groupsAhead * panelWidth) * wide(key.dim(1).stride());
  const Expr address = keyAddress + (ahead + wide(d * (step * lanes))) * key.type().bytes();
  const Expr line = Halide::unsafe_promise_clamped(fetchingAhead(d, address), 0, whole / step - 1);
  // Of two vectors of bfloat16 a lane takes two that lie side by side: a shift and a mask convert
  // them.
  const bool inPairs = spec.keyType == ElementType::BF16 && step % 2 == 0;
  Expr sum = partial(lane, keyRow, row);
  for (int v = 0; v < step; ++v) {
    const Expr place = inPairs ? v / 2 * 2 * lanes + 2 * lane + v % 2 : v * lanes + lane;
    sum = sum + product(d * step * lanes + place, line * step * lanes + place);
  }
  partial(lane, keyRow, row) = sum;
  partial.update().reorder(lane, keyRow, row, d).vectorize(lane, lanes);
  partial.update().unroll(keyRow).unroll(row);
  return partial;
}

/// The products with keys in rows. Transposed, a register holds one lane of every key's sum, so
/// that adding registers adds up lanes.
Func ScoringKernel::rowProducts() {
  Var keyRow("key_row"), i("i"), group("group");
  Func partial = partialProducts(keyRow), flat("flat"), dot("dot");
  flat(i, group, row) = partial(i % lanes, group * lanes + i / lanes, row);
  std::vector<Func> stages = transposition(flat, lanes, i, {group, row});
  std::vector<Expr> sums;
  for (int l = 0; l < lanes; ++l)
    sums.push_back(stages.back()(l * lanes + column % lanes, column / lanes, row));
  dot(column, row) =
      combineTree(std::move(sums), [](const Expr &a, const Expr &b) { return a + b; });
  scheduleTransposition(stages, lanes, i, Halide::LoopLevel(score, block));
  for (Func &stage : stages)
    stage.unroll(group).unroll(row);
  dot.compute_at(score, block).store_in(MemoryType::Stack);
  dot.vectorize(column, lanes).unroll(column).unroll(row);
  return dot;
}

void ScoringKernel::defineScores() {
  // THE ALGORITHM
  Func dot("dot");
  if (spec.hasProducts)
    dot(column, row) = stored(column, row);
  else
    dot = spec.keyRows ? rowProducts() : panelProducts();
  Expr value = dot(column, row);
  if (!scaleIsFolded) {
    if (spec.scale != 1)
      value = value * static_cast<float>(spec.scale);
    if (!spec.score.empty())
      value = scoreExpression(spec.score, regionLeaves(value));
  }
  if (!spec.keep.empty()) {
    Expr scaled = scaleIsFolded ? value * static_cast<float>(spec.scale) : value;
    value = select(keepExpression(spec.keep, regionLeaves(scaled)), value, minusInfinity);
  }
  score(column, row) = value;

  // THE SCHEDULE: a key panel, or a group of key rows, stays in L1 while the row blocks pass.
  splitRows(score);
  score.bound(column, 0, panels * panelWidth)
      .split(column, panel, inner, panelWidth, TailStrategy::RoundUp)
      .reorder(inner, blockRow, block, panel)
      .vectorize(inner, lanes)
      .unroll(inner);
  for (Func &index : indices) {
    index.compute_at(score, block).store_in(MemoryType::Stack);
    for (const Var &var : index.args())
      var.same_as(column) ? index.vectorize(column, lanes).unroll(column) : index.unroll(row);
  }
}

void ScoringKernel::readScores(std::optional<int> rowStride) {
  score(column, row) = stored(column, row);
  if (rowStride)
    stored.dim(1).set_stride(*rowStride);
}

void ScoringKernel::defineMaximum() {
  // THE ALGORITHM
  Func laneMax("lane_max");
  RDom p(0, panels, "p");
  laneMax(lane, row) = minusInfinity;
  laneMax(lane, row) = maximum(laneMax(lane, row), vectorsOfRow(score, p, maximum));
  Func rowMax = reduceLanes(laneMax, lanes, maximum, maxOut, block);
  Expr tileMax = rowMax(0, row);
  if (scaleIsFolded)
    tileMax = tileMax * static_cast<float>(spec.scale);
  maxOut(row) = maximum(maxIn(row), tileMax);

  // THE SCHEDULE: the rows of a block side by side, for independent chains.
  splitRows(maxOut);
  laneMax.compute_at(maxOut, block).store_in(MemoryType::Stack).bound(lane, 0, lanes);
  laneMax.vectorize(lane, lanes).unroll(row);
  laneMax.update().reorder(lane, row, p).vectorize(lane, lanes).unroll(row);
}

void ScoringKernel::appendArguments(std::vector<Halide::Argument> &arguments) const {
  arguments.insert(arguments.end(), tiles.begin(), tiles.end());
  for (const Param<int32_t> &param : {count, panels, batch, head, firstQuery, firstKey})
    arguments.push_back(param);
  arguments.insert(arguments.end(), scalars.begin(), scalars.end());
  if (spec.keyRows)
    arguments.push_back(keyAddress);
  if (spec.part == ScoringPart::Softmax)
    arguments.push_back(stored);
}

std::string scoringPrefix(llvm::StringRef name, const ScoringSpec &spec) {
  const char *part[] = {"", "_products", "_softmax"}; // by ScoringPart
  return (name + part[static_cast<int>(spec.part)] + (spec.keyRows ? "_rows" : "") +
          (spec.hasProducts ? "_of_products" : "") + typeSuffix(spec.keyType) + "_" +
          std::to_string(spec.block.rows) + "x" + std::to_string(spec.block.vectors) + "_d" +
          std::to_string(spec.depth))
      .str();
}

std::string scoringKey(const ScoringSpec &spec) {
  std::string key;
  llvm::raw_string_ostream out(key);
  out.write_hex(llvm::bit_cast<uint64_t>(spec.scale)) << ' ' << spec.scalars << " tiles";
  for (const RegionTile &tile : spec.tiles)
    out << ' ' << static_cast<int>(tile.type) << (tile.oneRow ? " one row" : "");
  out << "\nscore\n" << spec.score.text() << "keep\n" << spec.keep.text();
  return key;
}

std::vector<KernelArgument> scoringArguments(const ScoringSpec &spec,
                                             llvm::ArrayRef<int> statistics,
                                             llvm::ArrayRef<int> outputs,
                                             std::optional<size_t> stored) {
  std::vector<KernelArgument> arguments{bufferArgument(2)};
  if (!spec.hasProducts)
    arguments.push_back(bufferArgument(spec.keyRows ? 2 : 3, spec.keyType));
  for (int rank : statistics)
    arguments.push_back(bufferArgument(rank));
  for (const RegionTile &tile : spec.tiles)
    arguments.push_back(bufferArgument(2, tile.type));
  arguments.insert(arguments.end(), 6 + spec.scalars, int32Argument());
  if (spec.keyRows)
    arguments.push_back({KernelArgument::Kind::Address, ElementType::F32, 0, 1});
  if (spec.part == ScoringPart::Softmax)
    arguments.push_back(bufferArgument(outputs[*stored]));
  for (auto [position, rank] : llvm::enumerate(outputs))
    if (spec.part == ScoringPart::Whole ||
        (spec.part == ScoringPart::Products) == (position == stored))
      arguments.push_back(bufferArgument(rank));
  return arguments;
}

} // namespace attune::cpu
