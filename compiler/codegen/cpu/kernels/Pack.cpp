//===- Pack.cpp - Filling, transposing and padding ------------------------===//

#include "codegen/cpu/kernels/HalideCommon.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

//===----------------------------------------------------------------------===//
// Fill
//===----------------------------------------------------------------------===//

static Recipe buildFill(const KernelTarget &target) {
  Halide::Param<float> value("value");
  Var x("x");
  Func out("out");
  out(x) = value;
  out.vectorize(x, target.vectorLanes, TailStrategy::GuardWithIf);
  constrainOutput(out);
  return {{out}, {value}};
}

template <> Kernel describeKernel(const FillSpec &, const KernelTarget &target) {
  return {kernelSymbol("fill", "", target), {float32Argument(), bufferArgument(1)}, {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const FillSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target, [&] { return buildFill(target); });
}

//===----------------------------------------------------------------------===//
// PackPanel
//===----------------------------------------------------------------------===//

static Recipe buildPackPanel(const PackPanelSpec &spec, const KernelTarget &target) {
  ImageParam in = inputBuffer("in", 2, spec.type);
  Halide::Param<int32_t> count("count");
  Var c("c"), d("d"), i("i"), group("group"), block("block");
  const int lanes = target.vectorLanes;
  Expr depth = in.dim(0).extent();

  // THE ALGORITHM: square tiles by shuffles, the rest of the depth one by one.
  auto element = [&](const Expr &column, const Expr &row) {
    return select(row < count, Halide::cast<float>(in(column, min(row, count - 1))), 0.0f);
  };
  Func panel("panel"), tile("tile");
  tile(i, group, block) = element(block * lanes + i % lanes, group * lanes + i / lanes);
  std::vector<Func> stages = transposition(tile, lanes, i, {group, block});
  RDom square(0, lanes, 0, lanes, 0, depth / lanes, 0, spec.panelWidth / lanes, "square");
  RDom rest(depth / lanes * lanes, depth % lanes, "rest");
  panel(c, d) = Halide::undef<float>();
  panel(square.w * lanes + square.x, square.z * lanes + square.y) =
      stages.back()(square.y * lanes + square.x, square.w, square.z);
  panel(c, rest) = element(rest, c);

  // THE SCHEDULE
  panel.bound(c, 0, spec.panelWidth);
  panel.update(0).allow_race_conditions().vectorize(square.x).unroll(square.y);
  scheduleTransposition(stages, lanes, i, Halide::LoopLevel(panel, square.z));
  panel.update(1).unscheduled(); // at most lanes - 1 rows, not worth code
  constrainOutput(panel);
  panel.output_buffer().dim(1).set_stride(spec.panelWidth);
  return {{panel}, {in, count}};
}

template <> Kernel describeKernel(const PackPanelSpec &spec, const KernelTarget &target) {
  std::string name = "pack_panel_" + std::to_string(spec.panelWidth) + typeSuffix(spec.type);
  return {kernelSymbol(name, "", target),
          {bufferArgument(2, spec.type), int32Argument(), bufferArgument(2)},
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const PackPanelSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildPackPanel(spec, target); });
}

//===----------------------------------------------------------------------===//
// PackRows
//===----------------------------------------------------------------------===//

static Recipe buildPackRows(const PackRowsSpec &spec, const KernelTarget &target) {
  ImageParam in = inputBuffer("in", 2, spec.type);
  Halide::Param<int32_t> columns("columns");
  ImageParam padding = inputBuffer("padding", 1, spec.padding.value_or(ElementType::U8));
  Var c("c"), r("r");

  // THE ALGORITHM: two updates, so that neither reads beyond its columns.
  Func out("out");
  const Halide::Type type = halideType(spec.outType);
  out(c, r) = Halide::undef(type);
  RDom copied(0, columns, "copied");
  RDom padded(columns, out.output_buffer().dim(0).extent() - columns, "padded");
  const Expr zero = Halide::cast(type, 0), value = converted(in(copied, r), type);
  out(copied, r) = spec.padding ? select(hidesKey(padding(r)), zero, value) : value;
  out(padded, r) = zero;

  // THE SCHEDULE
  const int lanes = target.vectorLanes * 4 / std::max(in.type().bytes(), type.bytes());
  out.update(0).vectorize(copied, lanes, TailStrategy::GuardWithIf);
  out.update(1).vectorize(padded, lanes, TailStrategy::GuardWithIf);
  constrainOutput(out);
  if (spec.padding)
    return {{out}, {in, padding, columns}};
  return {{out}, {in, columns}};
}

template <> Kernel describeKernel(const PackRowsSpec &spec, const KernelTarget &target) {
  std::string name = std::string("pack_rows_") + elementName(spec.type);
  if (spec.outType != spec.type)
    name += std::string("_") + elementName(spec.outType);
  std::vector<KernelArgument> arguments{bufferArgument(2, spec.type)};
  if (spec.padding) {
    name += std::string("_padding_") + elementName(*spec.padding);
    arguments.push_back(bufferArgument(1, *spec.padding));
  }
  arguments.insert(arguments.end(), {int32Argument(), bufferArgument(2, spec.outType)});
  return {kernelSymbol(name, "", target), arguments, {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const PackRowsSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildPackRows(spec, target); });
}

} // namespace attune::cpu
