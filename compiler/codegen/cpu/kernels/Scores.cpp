//===- Scores.cpp - Scores and online softmax of one tile -----------------===//

#include "codegen/cpu/kernels/Exp2.h"
#include "codegen/cpu/kernels/HalideCommon.h"
#include "codegen/cpu/kernels/RegionToHalide.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::MemoryType;
using Halide::Param;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

namespace {

const Expr minusInfinity = Expr(-std::numeric_limits<float>::infinity());

class ScoresKernel {
public:
  ScoresKernel(const ScoresSpec &spec, const KernelTarget &target);
  Recipe build();

private:
  bool scaleIsFolded() const;
  Expr index(const std::string &name, const std::vector<Var> &over, const Expr &value);
  RegionLeaves regionLeaves(const Expr &scaled);
  Expr exponent(const Expr &score, const Expr &maximum) const;
  Expr vectorsOfRow(Func rows, const Expr &panel, Combine combine) const;

  void defineScores();
  void defineMaximum();
  void defineRescale();
  void defineProbabilities();
  void defineSums();
  std::vector<Halide::Argument> arguments() const;
  void splitRows(Func &func);

  const ScoresSpec &spec;
  const int lanes, panelWidth;
  ImageParam query = inputBuffer("query", 2), key = inputBuffer("key", 3),
             maxIn = inputBuffer("max_in", 1), sumIn = inputBuffer("sum_in", 2);
  std::vector<ImageParam> tiles;
  Param<int32_t> count{"count"}, panels{"panels"}, batch{"batch"}, head{"head"},
      firstQuery{"first_query"}, firstKey{"first_key"};
  std::vector<Param<int32_t>> scalars;
  Expr rows, lastRow;

  Var column{"column"}, row{"row"}, lane{"lane"}, panel{"panel"}, inner{"inner"}, block{"block"},
      blockRow{"block_row"};
  std::vector<Func> indices;
  Func score{"s"}, maxOut{"max_out"}, rescale{"rescale"}, probability{"p"}, sumOut{"sum_out"};
};

ScoresKernel::ScoresKernel(const ScoresSpec &spec, const KernelTarget &target)
    : spec(spec), lanes(target.vectorLanes), panelWidth(spec.block.vectors * target.vectorLanes) {
  for (size_t i = 0; i < spec.tiles.size(); ++i)
    tiles.push_back(inputBuffer("tile" + std::to_string(i), 2, spec.tiles[i]));
  for (int i = 0; i < spec.scalars; ++i)
    scalars.emplace_back("scalar" + std::to_string(i));
  key.dim(1).set_stride(panelWidth);
  key.dim(2).set_stride(static_cast<int>(spec.depth) * panelWidth);
  sumIn.dim(1).set_stride(lanes);
  rows = roundedUp(count, spec.block.rows);
  lastRow = count - 1;
}

/// Scores are kept unscaled when the scale only has to reach the exponent.
bool ScoresKernel::scaleIsFolded() const {
  const float factor = static_cast<float>(spec.scale * log2E);
  return spec.score.empty() && std::isnormal(factor) && factor > 0;
}

/// A region's index as a function of its own, computed for each block. Were it written out, bounds
/// inference would see through the selects of a region and compute only the products that a
/// condition lets through, in a block of run-time size.
Expr ScoresKernel::index(const std::string &name, const std::vector<Var> &over, const Expr &value) {
  indices.emplace_back(name);
  indices.back()(over) = value;
  return indices.back()(std::vector<Expr>(over.begin(), over.end()));
}

RegionLeaves ScoresKernel::regionLeaves(const Expr &scaled) {
  RegionLeaves leaves{scaled,
                      index("batch_index", {}, batch),
                      index("head_index", {}, head),
                      index("query_index", {row}, firstQuery + row),
                      index("key_index", {column}, firstKey + column),
                      {},
                      {}};
  for (const ImageParam &tile : tiles) {
    Expr element = tile(column, min(row, lastRow));
    leaves.tileElements.push_back(element.type().is_float() ? element
                                                            : Halide::cast<int32_t>(element));
  }
  for (const Param<int32_t> &scalar : scalars)
    leaves.scalars.push_back(index(scalar.name() + "_index", {}, scalar));
  return leaves;
}

/// (score - maximum) * log2 e, for a score as it is stored and a maximum in units of t.
Expr ScoresKernel::exponent(const Expr &stored, const Expr &max) const {
  const float unit = static_cast<float>(log2E);
  if (scaleIsFolded())
    return stored * static_cast<float>(spec.scale * log2E) - max * unit;
  return (stored - max) * unit;
}

/// Combines the vectors of one panel of a row: lane l holds column l modulo lanes.
Expr ScoresKernel::vectorsOfRow(Func tile, const Expr &panelIndex, Combine combine) const {
  std::vector<Expr> vectors;
  for (int v = 0; v < spec.block.vectors; ++v)
    vectors.push_back(tile(panelIndex * panelWidth + v * lanes + lane, row));
  return combineTree(std::move(vectors), combine);
}

void ScoresKernel::splitRows(Func &func) {
  func.bound(row, 0, rows)
      .split(row, block, blockRow, spec.block.rows, TailStrategy::RoundUp)
      .unroll(blockRow);
}

void ScoresKernel::defineScores() {
  // THE ALGORITHM
  const int depth = static_cast<int>(spec.depth);
  Func dot("dot");
  RDom d(0, depth, "d");
  dot(column, row) = 0.0f;
  dot(column, row) +=
      query(d, min(row, lastRow)) * key(column % panelWidth, d, column / panelWidth);
  Expr value = dot(column, row);
  if (!scaleIsFolded()) {
    value = value * static_cast<float>(spec.scale);
    if (!spec.score.empty())
      value = scoreExpression(spec.score, regionLeaves(value));
  }
  if (!spec.keep.empty()) {
    Expr scaled = scaleIsFolded() ? value * static_cast<float>(spec.scale) : value;
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

void ScoresKernel::defineMaximum() {
  // THE ALGORITHM
  Func laneMax("lane_max");
  RDom p(0, panels, "p");
  laneMax(lane, row) = minusInfinity;
  laneMax(lane, row) = maximum(laneMax(lane, row), vectorsOfRow(score, p, maximum));
  Func rowMax = reduceLanes(laneMax, lanes, maximum, maxOut, block);
  Expr tileMax = rowMax(0, row);
  if (scaleIsFolded())
    tileMax = tileMax * static_cast<float>(spec.scale);
  maxOut(row) = maximum(maxIn(row), tileMax);

  // THE SCHEDULE: the rows of a block side by side, for independent chains.
  splitRows(maxOut);
  laneMax.compute_at(maxOut, block).store_in(MemoryType::Stack).bound(lane, 0, lanes);
  laneMax.vectorize(lane, lanes).unroll(row);
  laneMax.update().reorder(lane, row, p).vectorize(lane, lanes).unroll(row);
}

/// 0 in place of the -inf of a row without a visible key, so that no difference is NaN.
static Expr finiteMaximum(const Expr &max) { return select(max == minusInfinity, 0.0f, max); }

void ScoresKernel::defineRescale() {
  const int exactAtZero = std::max(spec.exp2Degree, 6);
  Expr drop = (maxIn(row) - finiteMaximum(maxOut(row))) * static_cast<float>(log2E);
  rescale(row) = exp2Polynomial(drop, exactAtZero);
  rescale.bound(row, 0, rows);
}

void ScoresKernel::defineProbabilities() {
  // THE ALGORITHM
  Func rowMaximum("row_maximum");
  rowMaximum(row) = finiteMaximum(maxOut(row));
  probability(column, row) =
      exp2Polynomial(exponent(score(column, row), rowMaximum(row)), spec.exp2Degree);

  // THE SCHEDULE
  rowMaximum.compute_at(probability, row).store_in(MemoryType::Stack);
  probability.bound(row, 0, rows)
      .bound(column, 0, panels * panelWidth)
      .split(column, panel, inner, panelWidth, TailStrategy::RoundUp)
      .reorder(inner, panel, row)
      .vectorize(inner, lanes)
      .unroll(inner);
}

void ScoresKernel::defineSums() {
  // THE ALGORITHM
  Func laneSum("lane_sum");
  RDom p(0, panels, "p");
  auto add = [](const Expr &a, const Expr &b) { return a + b; };
  laneSum(lane, row) = sumIn(lane, row) * rescale(row);
  laneSum(lane, row) += vectorsOfRow(probability, p, add);
  sumOut(lane, row) = laneSum(lane, row);

  // THE SCHEDULE
  splitRows(sumOut);
  sumOut.bound(lane, 0, lanes).reorder(lane, blockRow, block).vectorize(lane, lanes);
  laneSum.compute_at(sumOut, block).store_in(MemoryType::Stack);
  laneSum.vectorize(lane, lanes).unroll(row);
  laneSum.update().reorder(lane, row, p).vectorize(lane, lanes).unroll(row);
}

std::vector<Halide::Argument> ScoresKernel::arguments() const {
  std::vector<Halide::Argument> result{query, key, maxIn, sumIn};
  result.insert(result.end(), tiles.begin(), tiles.end());
  for (const Param<int32_t> &param : {count, panels, batch, head, firstQuery, firstKey})
    result.push_back(param);
  result.insert(result.end(), scalars.begin(), scalars.end());
  return result;
}

Recipe ScoresKernel::build() {
  defineScores();
  defineMaximum();
  defineRescale();
  defineProbabilities();
  defineSums();
  std::vector<Func> outputs{probability, score, maxOut, sumOut, rescale};
  for (Func &output : outputs)
    constrainOutput(output);
  for (Func *tile : {&probability, &score})
    tile->output_buffer().dim(1).set_stride(spec.tileColumns);
  sumOut.output_buffer().dim(1).set_stride(lanes);
  return {outputs, arguments()};
}

std::string keyOf(const ScoresSpec &spec) {
  std::string key;
  llvm::raw_string_ostream out(key);
  out << spec.tileColumns << ' ';
  out.write_hex(llvm::bit_cast<uint64_t>(spec.scale))
      << ' ' << spec.exp2Degree << ' ' << spec.scalars << " tiles";
  for (ElementType type : spec.tiles)
    out << ' ' << static_cast<int>(type);
  out << "\nscore\n" << spec.score.text() << "keep\n" << spec.keep.text();
  return key;
}

} // namespace

template <> Kernel describeKernel(const ScoresSpec &spec, const KernelTarget &target) {
  std::string prefix = "scores_" + std::to_string(spec.block.rows) + "x" +
                       std::to_string(spec.block.vectors) + "_d" + std::to_string(spec.depth);
  Kernel kernel{kernelSymbol(prefix, keyOf(spec), target), {}, {}};
  kernel.arguments = {bufferArgument(2), bufferArgument(3), bufferArgument(1), bufferArgument(2)};
  for (ElementType type : spec.tiles)
    kernel.arguments.push_back(bufferArgument(2, type));
  kernel.arguments.insert(kernel.arguments.end(), 6 + spec.scalars, int32Argument());
  for (int rank : {2, 2, 1, 2, 1})
    kernel.arguments.push_back(bufferArgument(rank));
  return kernel;
}

template <>
llvm::Expected<Kernel> generateKernel(const ScoresSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return ScoresKernel(spec, target).build(); });
}

} // namespace attune::cpu
