//===- Scores.cpp - Scores and online softmax of one tile -----------------===//

#include "codegen/cpu/kernels/Exp2.h"
#include "codegen/cpu/kernels/Scoring.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::MemoryType;
using Halide::RDom;
using Halide::TailStrategy;

namespace {

class ScoresKernel : ScoringKernel {
public:
  ScoresKernel(const ScoresSpec &spec, const KernelTarget &target);
  Recipe build();

private:
  Expr exponent(const Expr &score, const Expr &maximum) const;

  std::vector<Func> defineOutputs();
  void defineRescale();
  void defineProbabilities();
  void defineSums();

  const ScoresSpec &spec;
  const KernelTarget &target;
  ImageParam sumIn = inputBuffer("sum_in", 2);
  Func rescale{"rescale"}, probability{"p"}, sumOut{"sum_out"};
};

ScoresKernel::ScoresKernel(const ScoresSpec &spec, const KernelTarget &target)
    : ScoringKernel(spec, target, reachesExponent(spec)), spec(spec), target(target) {
  sumIn.dim(1).set_stride(lanes);
}

/// (score - maximum) * log2 e, for a score as it is stored and a maximum in units of t.
Expr ScoresKernel::exponent(const Expr &stored, const Expr &max) const {
  const float unit = static_cast<float>(log2E);
  if (scaleIsFolded)
    return stored * static_cast<float>(spec.scale * log2E) - max * unit;
  return (stored - max) * unit;
}

void ScoresKernel::defineRescale() {
  const int exactAtZero = std::max(spec.exp2Degree, 6);
  Expr drop = (maxIn(row) - finiteMaximum(maxOut(row))) * static_cast<float>(log2E);
  rescale(row) = exp2Polynomial(drop, exactAtZero, target);
  rescale.bound(row, 0, rows);
  if (target.avx512)
    rescale.vectorize(row, lanes, TailStrategy::Predicate);
}

void ScoresKernel::defineProbabilities() {
  // THE ALGORITHM
  Func rowMaximum("row_maximum");
  rowMaximum(row) = finiteMaximum(maxOut(row));
  probability(column, row) =
      exp2Polynomial(exponent(score(column, row), rowMaximum(row)), spec.exp2Degree, target);

  // THE SCHEDULE
  // One after the other, exponentials fill the scheduler of a core with one chain.
  const int sideBySide = std::gcd(spec.block.vectors, 4);
  rowMaximum.compute_at(probability, row).store_in(MemoryType::Stack);
  probability.bound(row, 0, rows)
      .bound(column, 0, panels * panelWidth)
      .split(column, panel, inner, panelWidth, TailStrategy::RoundUp)
      .reorder(inner, panel, row)
      .vectorize(inner, lanes * sideBySide)
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

/// Defines the functions of the part and gives those that are outputs.
std::vector<Func> ScoresKernel::defineOutputs() {
  if (spec.part == ScoringPart::Softmax)
    readScores(spec.tileColumns);
  else
    defineScores();
  if (spec.part == ScoringPart::Products)
    return {score};
  defineMaximum();
  defineRescale();
  defineProbabilities();
  defineSums();
  if (spec.part == ScoringPart::Softmax)
    return {probability, maxOut, sumOut, rescale};
  return {probability, score, maxOut, sumOut, rescale};
}

Recipe ScoresKernel::build() {
  std::vector<Func> outputs = defineOutputs();
  for (Func &output : outputs)
    constrainOutput(output);
  if (spec.part != ScoringPart::Products) {
    probability.output_buffer().dim(1).set_stride(spec.tileColumns);
    sumOut.output_buffer().dim(1).set_stride(lanes);
  }
  if (spec.part != ScoringPart::Softmax)
    score.output_buffer().dim(1).set_stride(spec.tileColumns);
  std::vector<Halide::Argument> arguments{query, key, maxIn, sumIn};
  appendArguments(arguments);
  return {outputs, arguments};
}

/// The regions alone, element by element of products that lie in memory.
class RegionsKernel : ScoringKernel {
public:
  RegionsKernel(const RegionsSpec &spec, const KernelTarget &target)
      : ScoringKernel(spec, target, reachesExponent(spec)), tileColumns(spec.tileColumns) {}

  Recipe build() {
    defineScores();
    constrainOutput(score);
    stored.dim(1).set_stride(tileColumns);
    score.output_buffer().dim(1).set_stride(tileColumns);
    std::vector<Halide::Argument> arguments{stored};
    appendArguments(arguments);
    return {{score}, arguments};
  }

private:
  const int tileColumns;
};

} // namespace

bool reachesExponent(const ScoringSpec &spec) {
  const float factor = static_cast<float>(spec.scale * log2E);
  return spec.score.empty() && std::isnormal(factor) && factor > 0;
}

template <> Kernel describeKernel(const ScoresSpec &spec, const KernelTarget &target) {
  std::string key;
  llvm::raw_string_ostream(key) << spec.tileColumns << ' ' << spec.exp2Degree << ' '
                                << scoringKey(spec);
  return {kernelSymbol(scoringPrefix("scores", spec), key, target),
          scoringArguments(spec, {1, 2}, {2, 2, 1, 2, 1}, 1),
          {}};
}

template <> Kernel describeKernel(const RegionsSpec &spec, const KernelTarget &target) {
  std::string key = std::to_string(spec.tileColumns) + ' ' + scoringKey(spec);
  return {kernelSymbol(scoringPrefix("regions", spec), key, target),
          scoringArguments(spec, {}, {2}, std::nullopt),
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const ScoresSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return ScoresKernel(spec, target).build(); });
}

template <>
llvm::Expected<Kernel> generateKernel(const RegionsSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return RegionsKernel(spec, target).build(); });
}

} // namespace attune::cpu
