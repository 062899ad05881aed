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
  ImageParam in = inputBuffer("in", 2);
  Halide::Param<int32_t> count("count");
  Var c("c"), d("d"), group("group"), inner("inner");

  // THE ALGORITHM
  Func panel("panel");
  panel(c, d) = select(c < count, in(d, min(c, count - 1)), 0.0f);

  // THE SCHEDULE: one vector of a panel row gathers from as many input rows.
  panel.bound(c, 0, spec.panelWidth)
      .split(c, group, inner, target.vectorLanes, TailStrategy::RoundUp)
      .reorder(inner, d, group)
      .vectorize(inner);
  constrainOutput(panel);
  panel.output_buffer().dim(1).set_stride(spec.panelWidth);
  return {{panel}, {in, count}};
}

template <> Kernel describeKernel(const PackPanelSpec &spec, const KernelTarget &target) {
  return {kernelSymbol("pack_panel_" + std::to_string(spec.panelWidth), "", target),
          {bufferArgument(2), int32Argument(), bufferArgument(2)},
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
  Var c("c"), r("r");

  // THE ALGORITHM: two updates, so that neither reads beyond its columns.
  Func out("out");
  out(c, r) = Halide::undef(in.type());
  RDom copied(0, columns, "copied");
  RDom padded(columns, out.output_buffer().dim(0).extent() - columns, "padded");
  out(copied, r) = in(copied, r);
  out(padded, r) = Halide::cast(in.type(), 0);

  // THE SCHEDULE
  const int lanes = target.vectorLanes * 4 / in.type().bytes();
  out.update(0).vectorize(copied, lanes, TailStrategy::GuardWithIf);
  out.update(1).vectorize(padded, lanes, TailStrategy::GuardWithIf);
  constrainOutput(out);
  return {{out}, {in, columns}};
}

template <> Kernel describeKernel(const PackRowsSpec &spec, const KernelTarget &target) {
  const char *name = spec.type == ElementType::U8 ? "pack_rows_u8" : "pack_rows_f32";
  return {kernelSymbol(name, "", target),
          {bufferArgument(2, spec.type), int32Argument(), bufferArgument(2, spec.type)},
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const PackRowsSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildPackRows(spec, target); });
}

} // namespace attune::cpu
