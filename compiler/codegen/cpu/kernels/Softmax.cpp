//===- Softmax.cpp - Exponentials of whole rows and their sums ------------===//

#include "codegen/cpu/kernels/Exp2.h"
#include "codegen/cpu/kernels/HalideCommon.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::MemoryType;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

static Recipe buildSoftmax(const SoftmaxSpec &spec, const KernelTarget &target) {
  const int lanes = target.vectorLanes;
  ImageParam t = inputBuffer("t", 2), max = inputBuffer("max", 1);
  Var column("column"), row("row"), lane("lane");

  // THE ALGORITHM: sums read what was stored, so that t and p may be the same memory.
  Func p("p"), sum("sum"), rowMax("row_max");
  rowMax(row) = finiteMaximum(max(row));
  p(column, row) =
      exp2Polynomial((t(column, row) - rowMax(row)) * static_cast<float>(log2E), spec.exp2Degree);
  RDom v(0, p.output_buffer().dim(0).extent() / lanes, "v");
  sum(lane, row) = 0.0f;
  sum(lane, row) += p(v * lanes + lane, row);

  // THE SCHEDULE
  rowMax.compute_at(p, row).store_in(MemoryType::Stack);
  p.vectorize(column, lanes, TailStrategy::RoundUp);
  sum.bound(row, 0, p.output_buffer().dim(1).extent());
  sum.bound(lane, 0, lanes).vectorize(lane, lanes);
  sum.update().reorder(lane, v, row).vectorize(lane, lanes);
  for (Func *output : {&p, &sum})
    constrainOutput(*output);
  sum.output_buffer().dim(1).set_stride(lanes);
  return {{p, sum}, {t, max}};
}

template <> Kernel describeKernel(const SoftmaxSpec &spec, const KernelTarget &target) {
  return {kernelSymbol("softmax", std::to_string(spec.exp2Degree), target),
          {bufferArgument(2), bufferArgument(1), bufferArgument(2), bufferArgument(2)},
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const SoftmaxSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildSoftmax(spec, target); });
}

} // namespace attune::cpu
