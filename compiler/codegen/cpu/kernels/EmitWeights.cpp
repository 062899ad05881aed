//===- EmitWeights.cpp - Normalises attention weights ---------------------===//

#include "codegen/cpu/kernels/HalideCommon.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

static Recipe buildEmitWeights(const EmitWeightsSpec &spec, const KernelTarget &target) {
  const int lanes = target.vectorLanes;
  ImageParam p = inputBuffer("p", 2), sums = inputBuffer("sums", 2),
             previous = inputBuffer("previous", 2);
  Halide::Param<int32_t> visited("visited");
  Var column("column"), row("row"), lane("lane");
  sums.dim(1).set_stride(lanes);

  // THE ALGORITHM: two updates, so that nothing of p is read beyond `visited`. A row with sum 0 has
  // nothing but zeros in p.
  Func laneSums("lane_sums"), sum("sum"), scale("scale"), hidden("hidden"), out("out");
  laneSums(lane, row) = sums(lane, row);
  auto add = [](const Expr &a, const Expr &b) { return a + b; };
  Func total = reduceLanes(laneSums, lanes, add, out, row);
  sum(row) = total(0, row);
  const float masked = spec.zeroMaskedRows ? 0.0f : std::numeric_limits<float>::quiet_NaN();
  scale(row) = select(sum(row) == 0.0f, masked, static_cast<float>(spec.factor) / sum(row));
  hidden(row) = select(sum(row) == 0.0f, masked, 0.0f);
  auto base = [&](const Expr &at) { return spec.add ? previous(at, row) : Expr(0.0f); };
  const Halide::Type type = halideType(spec.outType);
  out(column, row) = Halide::undef(type);
  RDom shown(0, visited, "shown"),
      rest(visited, out.output_buffer().dim(0).extent() - visited, "rest");
  out(shown, row) = converted(base(shown) + p(shown, row) * scale(row), type);
  out(rest, row) = converted(base(rest) + hidden(row), type);

  // THE SCHEDULE
  for (Func *scalar : {&sum, &scale, &hidden})
    scalar->compute_at(out, row).store_in(Halide::MemoryType::Stack);
  out.update(0).vectorize(shown, lanes, TailStrategy::GuardWithIf);
  out.update(1).vectorize(rest, lanes, TailStrategy::GuardWithIf);
  constrainOutput(out);
  std::vector<Halide::Argument> arguments{p, sums};
  if (spec.add)
    arguments.push_back(previous);
  arguments.push_back(visited);
  return {{out}, arguments};
}

template <> Kernel describeKernel(const EmitWeightsSpec &spec, const KernelTarget &target) {
  std::string key = spec.zeroMaskedRows ? "zero " : "nan ";
  llvm::raw_string_ostream(key).write_hex(llvm::bit_cast<uint64_t>(spec.factor));
  std::string prefix = (spec.add ? "add_weights" : "emit_weights") + typeSuffix(spec.outType);
  Kernel kernel{kernelSymbol(prefix, key, target), {}, {}};
  kernel.arguments = {bufferArgument(2), bufferArgument(2), int32Argument(),
                      bufferArgument(2, spec.outType)};
  if (spec.add)
    kernel.arguments.insert(kernel.arguments.begin() + 2, bufferArgument(2));
  return kernel;
}

template <>
llvm::Expected<Kernel> generateKernel(const EmitWeightsSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildEmitWeights(spec, target); });
}

} // namespace attune::cpu
