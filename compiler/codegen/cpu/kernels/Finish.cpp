//===- Finish.cpp - Normalises an accumulator -----------------------------===//

#include "codegen/cpu/kernels/HalideCommon.h"
#include <limits>

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::Var;

static Recipe buildFinish(const FinishSpec &spec, const KernelTarget &target) {
  const int lanes = target.vectorLanes, columns = static_cast<int>(spec.columns);
  ImageParam acc = inputBuffer("acc", 2), sums = inputBuffer("sums", 2);
  Halide::Param<int32_t> count("count");
  Var column("column"), row("row"), lane("lane");
  acc.dim(1).set_stride(static_cast<int>(spec.paddedColumns));
  sums.dim(1).set_stride(lanes);

  // THE ALGORITHM
  Func laneSums("lane_sums"), sum("sum"), inverse("inverse"), out("out");
  laneSums(lane, row) = sums(lane, row);
  auto add = [](const Expr &a, const Expr &b) { return a + b; };
  Func total = reduceLanes(laneSums, lanes, add, out, row);
  sum(row) = total(0, row);
  inverse(row) = 1.0f / sum(row);
  const float masked = spec.zeroMaskedRows ? 0.0f : std::numeric_limits<float>::quiet_NaN();
  Expr normalised = select(sum(row) == 0.0f, masked, acc(column, row) * inverse(row));
  out(column, row) = converted(normalised, halideType(spec.outType));

  // THE SCHEDULE
  for (Func *scalar : {&sum, &inverse})
    scalar->compute_at(out, row).store_in(Halide::MemoryType::Stack);
  out.bound(column, 0, columns)
      .bound(row, 0, count)
      .vectorize(column, lanes, Halide::TailStrategy::GuardWithIf);
  constrainOutput(out);
  return {{out}, {acc, sums, count}};
}

template <> Kernel describeKernel(const FinishSpec &spec, const KernelTarget &target) {
  std::string key = std::to_string(spec.paddedColumns) + (spec.zeroMaskedRows ? " zero" : " nan");
  std::string prefix = "finish_c" + std::to_string(spec.columns) + typeSuffix(spec.outType);
  return {kernelSymbol(prefix, key, target),
          {bufferArgument(2), bufferArgument(2), int32Argument(), bufferArgument(2, spec.outType)},
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const FinishSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildFinish(spec, target); });
}

} // namespace attune::cpu
