//===- Scoring.cpp - What Scores and Logits share -------------------------===//

#include "codegen/cpu/kernels/Scoring.h"
#include "llvm/Support/raw_ostream.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::MemoryType;
using Halide::Param;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

ScoringKernel::ScoringKernel(const ScoringSpec &spec, const KernelTarget &target, bool foldScale)
    : lanes(target.vectorLanes), panelWidth(spec.block.vectors * target.vectorLanes),
      scaleIsFolded(foldScale), query(inputBuffer("query", 2)), key(inputBuffer("key", 3)),
      maxIn(inputBuffer("max_in", 1)), spec(spec), stored(inputBuffer("stored", 2)) {
  rows = roundedUp(count, spec.block.rows);
  lastRow = count - 1;
  for (size_t i = 0; i < spec.tiles.size(); ++i)
    tiles.push_back(inputBuffer("tile" + std::to_string(i), 2, spec.tiles[i].type));
  for (int i = 0; i < spec.scalars; ++i)
    scalars.emplace_back("scalar" + std::to_string(i));
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

void ScoringKernel::defineScores() {
  // THE ALGORITHM
  const int depth = static_cast<int>(spec.depth);
  Func dot("dot");
  RDom d(0, depth, "d");
  dot(column, row) = 0.0f;
  dot(column, row) +=
      query(d, min(row, lastRow)) * key(column % panelWidth, d, column / panelWidth);
  Expr value = dot(column, row);
  if (!scaleIsFolded) {
    value = value * static_cast<float>(spec.scale);
    if (!spec.score.empty())
      value = scoreExpression(spec.score, regionLeaves(value));
  }
  if (!spec.keep.empty()) {
    Expr scaled = scaleIsFolded ? value * static_cast<float>(spec.scale) : value;
    value = select(keepExpression(spec.keep, regionLeaves(scaled)), value, minusInfinity);
  }
  score(column, row) = value;

  // THE SCHEDULE: a key panel stays in L1 while the row blocks pass; one block of accumulators
  // stays in registers over the whole depth.
  const int unroll = depth % 4 == 0 ? 4 : 1;
  splitRows(score);
  score.bound(column, 0, panels * panelWidth)
      .split(column, panel, inner, panelWidth, TailStrategy::RoundUp)
      .reorder(inner, blockRow, block, panel)
      .vectorize(inner, lanes)
      .unroll(inner);
  dot.compute_at(score, block).store_in(MemoryType::Stack);
  dot.vectorize(column, lanes).unroll(column).unroll(row);
  dot.update().reorder(column, row, d).vectorize(column, lanes).unroll(column).unroll(row);
  if (unroll > 1)
    dot.update().unroll(d, unroll);
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
  if (spec.part == ScoringPart::Softmax)
    arguments.push_back(stored);
}

std::string scoringPrefix(llvm::StringRef name, const ScoringSpec &spec) {
  const char *part[] = {"", "_products", "_softmax"}; // by ScoringPart
  return (name + part[static_cast<int>(spec.part)] + "_" + std::to_string(spec.block.rows) + "x" +
          std::to_string(spec.block.vectors) + "_d" + std::to_string(spec.depth))
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
                                             llvm::ArrayRef<int> outputs, size_t stored) {
  std::vector<KernelArgument> arguments{bufferArgument(2), bufferArgument(3)};
  for (int rank : statistics)
    arguments.push_back(bufferArgument(rank));
  for (const RegionTile &tile : spec.tiles)
    arguments.push_back(bufferArgument(2, tile.type));
  arguments.insert(arguments.end(), 6 + spec.scalars, int32Argument());
  if (spec.part == ScoringPart::Softmax)
    arguments.push_back(bufferArgument(outputs[stored]));
  for (auto [position, rank] : llvm::enumerate(outputs))
    if (spec.part == ScoringPart::Whole ||
        (spec.part == ScoringPart::Products) == (position == stored))
      arguments.push_back(bufferArgument(rank));
  return arguments;
}

} // namespace attune::cpu
