//===- EmitPacked.cpp - Stores an accumulator as attention reads it -------===//

#include "codegen/cpu/kernels/HalideCommon.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

namespace {
/// Rows are keys, columns elements of a head.
struct Accumulator {
  ImageParam acc = inputBuffer("acc", 2), bias = inputBuffer("bias", 1);
  bool biased;

  explicit Accumulator(bool biased) : biased(biased) {}
  Expr count() const { return acc.dim(1).extent(); }
  Expr columns() const { return acc.dim(0).extent(); }
  Expr at(const Expr &column, const Expr &row) {
    return biased ? acc(column, row) + bias(column) : Expr(acc(column, row));
  }
  std::vector<Halide::Argument> arguments() const {
    return biased ? std::vector<Halide::Argument>{acc, bias} : std::vector<Halide::Argument>{acc};
  }
};
} // namespace

/// Square tiles by shuffles; keys before and after whole tiles, and the rest of the depth, one by
/// one: a part starts and ends at any key, and what lies beside belongs to other workers.
static Recipe buildPanels(const EmitPackedSpec &spec, const KernelTarget &target) {
  Accumulator in(spec.biased);
  Halide::Param<int32_t> key("key"), end("end");
  Var c("c"), d("d"), p("p"), i("i"), group("group"), block("block");
  const int lanes = target.vectorLanes, width = static_cast<int>(spec.panelWidth);
  const Expr depth = in.columns(), keyEnd = key + in.count();
  const Expr firstTile = (key + (lanes - 1)) / lanes, endTile = max(keyEnd / lanes, firstTile);
  const Expr frontEnd = min(firstTile * lanes, keyEnd), backStart = max(endTile * lanes, frontEnd);

  // THE ALGORITHM
  Func panels("panels"), tile("tile");
  tile(i, group, block) = in.at(group * lanes + i % lanes, block * lanes + i / lanes - key);
  std::vector<Func> stages = transposition(tile, lanes, i, {group, block});
  panels(c, d, p) = Halide::undef<float>();
  auto store = [&](const Expr &k, const Expr &at, const Expr &value) {
    panels(k % width, at, k / width) = value;
  };
  RDom square(0, lanes, 0, lanes, 0, depth / lanes, firstTile, endTile - firstTile, "square");
  const Expr perPanel = width / lanes;
  panels(square.w % perPanel * lanes + square.x, square.z * lanes + square.y, square.w / perPanel) =
      stages.back()(square.y * lanes + square.x, square.z, square.w);
  RDom rest(firstTile * lanes, (endTile - firstTile) * lanes, depth / lanes * lanes, depth % lanes,
            "rest");
  store(rest.x, rest.y, in.at(rest.y, rest.x - key));
  RDom front(0, depth, key, frontEnd - key, "front");
  store(front.y, front.x, in.at(front.x, front.y - key));
  RDom back(0, depth, backStart, max(keyEnd - backStart, 0), "back");
  store(back.y, back.x, in.at(back.x, back.y - key));
  RDom beyond(keyEnd, end - keyEnd, 0, depth, "beyond");
  store(beyond.x, beyond.y, 0.0f);
  const Expr wholeDepth = panels.output_buffer().dim(1).extent();
  RDom below(key, end - key, depth, wholeDepth - depth, "below");
  store(below.x, below.y, 0.0f);

  // THE SCHEDULE
  panels.bound(c, 0, width);
  panels.update(0).allow_race_conditions().vectorize(square.x).unroll(square.y);
  scheduleTransposition(stages, lanes, i, Halide::LoopLevel(panels, square.z));
  for (int edge = 1; edge <= 5; ++edge)
    panels.update(edge).unscheduled(); // fewer keys than a vector, or fewer columns
  constrainOutput(panels);
  panels.output_buffer().dim(1).set_stride(width);
  std::vector<Halide::Argument> arguments = in.arguments();
  arguments.insert(arguments.end(), {key, end});
  return {{panels}, arguments};
}

static Recipe buildRows(const EmitPackedSpec &spec, const KernelTarget &target) {
  Accumulator in(spec.biased);
  Var c("c"), r("r");

  // THE ALGORITHM: as updates, none of which reads beyond the accumulator.
  Func rows("rows");
  rows(c, r) = Halide::undef<float>();
  const Expr columns = in.columns(), count = in.count();
  const Expr allColumns = rows.output_buffer().dim(0).extent();
  const Expr allRows = rows.output_buffer().dim(1).extent();
  RDom copied(0, columns, 0, count, "copied");
  RDom right(columns, allColumns - columns, 0, count, "right");
  RDom below(0, allColumns, count, allRows - count, "below");
  rows(copied.x, copied.y) = in.at(copied.x, copied.y);
  rows(right.x, right.y) = 0.0f;
  rows(below.x, below.y) = 0.0f;

  // THE SCHEDULE
  rows.update(0).vectorize(copied.x, target.vectorLanes, TailStrategy::GuardWithIf);
  rows.update(1).vectorize(right.x, target.vectorLanes, TailStrategy::GuardWithIf);
  rows.update(2).vectorize(below.x, target.vectorLanes, TailStrategy::GuardWithIf);
  constrainOutput(rows);
  return {{rows}, in.arguments()};
}

template <> Kernel describeKernel(const EmitPackedSpec &spec, const KernelTarget &target) {
  std::vector<KernelArgument> arguments{bufferArgument(2)};
  if (spec.biased)
    arguments.push_back(bufferArgument(1));
  if (spec.panelWidth > 0)
    arguments.insert(arguments.end(), 2, int32Argument());
  arguments.push_back(bufferArgument(spec.panelWidth > 0 ? 3 : 2));
  std::string name =
      spec.panelWidth > 0 ? "emit_panel_" + std::to_string(spec.panelWidth) : "emit_rows";
  return {kernelSymbol(name, spec.biased ? "biased" : "", target), arguments, {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const EmitPackedSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target, [&] {
    return spec.panelWidth > 0 ? buildPanels(spec, target) : buildRows(spec, target);
  });
}

} // namespace attune::cpu
