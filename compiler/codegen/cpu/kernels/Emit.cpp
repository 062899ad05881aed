//===- Emit.cpp - Stores an accumulator with its bias ---------------------===//

#include "codegen/cpu/kernels/HalideCommon.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::Var;

static Recipe buildEmit(const EmitSpec &spec, const KernelTarget &target) {
  ImageParam acc = inputBuffer("acc", 2), bias = inputBuffer("bias", 1);
  Var column("column"), row("row");
  acc.dim(1).set_stride(static_cast<int>(spec.paddedColumns));

  // THE ALGORITHM
  Func out("out");
  Expr sum = spec.biased ? acc(column, row) + bias(column) : Expr(acc(column, row));
  out(column, row) = converted(sum, halideType(spec.outType));

  // THE SCHEDULE
  out.vectorize(column, target.vectorLanes, Halide::TailStrategy::GuardWithIf);
  constrainOutput(out);
  if (spec.biased)
    return {{out}, {acc, bias}};
  return {{out}, {acc}};
}

template <> Kernel describeKernel(const EmitSpec &spec, const KernelTarget &target) {
  std::string prefix = "emit_c" + std::to_string(spec.paddedColumns) + typeSuffix(spec.outType);
  Kernel kernel{kernelSymbol(prefix, spec.biased ? "biased" : "", target), {bufferArgument(2)}, {}};
  if (spec.biased)
    kernel.arguments.push_back(bufferArgument(1));
  kernel.arguments.push_back(bufferArgument(2, spec.outType));
  return kernel;
}

template <>
llvm::Expected<Kernel> generateKernel(const EmitSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildEmit(spec, target); });
}

} // namespace attune::cpu
