//===- Accumulate.cpp - acc = acc * rescale + a . b -----------------------===//

#include "codegen/cpu/kernels/HalideCommon.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::TailStrategy;
using Halide::Var;

/// `value`, and on the first row of each block a prefetch of the part of the next panel that
/// belongs to this block and depth.
static Expr prefetching(const Expr &value, const AccumulateSpec &spec, const Expr &row,
                        const Expr &k, const Expr &count, const Expr &depth, const Expr &b) {
  auto wide = [](const Expr &x) { return Halide::cast<uint64_t>(x); };
  const int rowBytes = static_cast<int>(spec.columns) * 4;
  Expr step = rowBytes * spec.block.rows / roundedUp(count, spec.block.rows);
  Expr slot = wide(row / spec.block.rows) * wide(depth) + wide(k);
  Expr address = b + wide(depth) * rowBytes + slot * wide(step);
  Expr fetched = pureCall(prefetchFunction, {value, address});
  return select(row % spec.block.rows == 0, fetched, value);
}

namespace {
/// What a block of rows fetches for later.
class FetchAhead {
public:
  /// `value`, and on the first row of each block the fetch that belongs to this block and depth.
  Expr fetching(const Expr &value, const AccumulateSpec &spec, const Expr &row, const Expr &k);
  void schedule(Func &out, const Var &block);
  void appendArguments(std::vector<Halide::Argument> &arguments) const {
    arguments.insert(arguments.end(), {plan, firstJob, firstRow, spread, leftAddress});
  }

private:
  ImageParam plan = inputBuffer("plan", 2, ElementType::I32);
  Halide::Param<int32_t> firstJob{"first_job"}, firstRow{"first_row"}, spread{"spread"};
  Halide::Param<uint64_t> leftAddress{"a_address"};
  Func isNeeded{"is_needed"}, address{"ahead_address"}, stride{"ahead_stride"};
};

Expr FetchAhead::fetching(const Expr &value, const AccumulateSpec &spec, const Expr &row,
                          const Expr &k) {
  Var x("x");
  plan.dim(1).set_stride(3);
  auto wide = [](const Expr &half) { return Halide::cast<uint64_t>(Halide::cast<uint32_t>(half)); };
  const Expr slot = (firstJob + x) / spread, jobs = plan.dim(1).extent(), job = min(slot, jobs - 1);
  const Expr start = wide(plan(0, job)) | (wide(plan(1, job)) << 32);
  // Steps that fetch nothing take the line that is read anyway.
  isNeeded(x) = slot < jobs && start != 0;
  address(x) = start + wide(firstRow) * wide(plan(2, job));
  stride(x) = wide(plan(2, job));
  const Expr block = row / spec.block.rows;
  const Expr isDue = isNeeded(block) && ((k + block + firstJob) & (spread - 1)) == 0;
  const Expr place = select(isDue, address(block) + wide(k) * stride(block),
                            leftAddress + wide(row * spec.aColumns + k) * 4);
  const Expr fetched = pureCall(prefetchFunction, {value, place});
  return select(row % spec.block.rows == 0, fetched, value);
}

void FetchAhead::schedule(Func &out, const Var &block) {
  for (Func *func : {&isNeeded, &address, &stride})
    func->compute_at(out, block).store_in(Halide::MemoryType::Stack);
}
} // namespace

static Recipe buildAccumulate(const AccumulateSpec &spec, const KernelTarget &target) {
  ImageParam a = inputBuffer("a", 2), b = inputBuffer("b", 2), factor = inputBuffer("rescale", 1),
             accIn = inputBuffer("acc_in", 2);
  Halide::Param<int32_t> count("count"), depth("depth");
  Halide::Param<uint64_t> address("b_address");
  Var column("column"), row("row"), panel("panel"), inner("inner"), block("block"),
      blockRow("block_row");
  const int lanes = target.vectorLanes, panelWidth = spec.block.vectors * lanes;
  const int columns = static_cast<int>(spec.columns);
  if (spec.bDense)
    b.dim(1).set_stride(columns);
  if (spec.aColumns)
    a.dim(1).set_stride(spec.aColumns);
  accIn.dim(1).set_stride(columns);

  // THE ALGORITHM
  Func sum("sum"), out("acc_out");
  Halide::RDom k(0, depth, "k");
  Expr previous = spec.fresh ? Expr(0.0f) : accIn(column, row);
  sum(column, row) = spec.rescaled ? previous * factor(row) : previous;
  Expr left = a(k, spec.aColumns ? Expr(row) : min(row, count - 1));
  if (spec.prefetchNext)
    left = prefetching(left, spec, row, k, count, depth, address);
  FetchAhead ahead;
  if (spec.fetchAhead)
    left = ahead.fetching(left, spec, row, k);
  sum(column, row) += left * b(column, k);
  out(column, row) = sum(column, row);

  // THE SCHEDULE: a column panel of b stays in cache while the row blocks pass; one block of
  // accumulators stays in registers over the whole depth.
  out.bound(column, 0, columns)
      .bound(row, 0, roundedUp(count, spec.block.rows))
      .split(column, panel, inner, panelWidth, TailStrategy::RoundUp)
      .split(row, block, blockRow, spec.block.rows, TailStrategy::RoundUp)
      .reorder(inner, blockRow, block, panel)
      .vectorize(inner, lanes)
      .unroll(inner)
      .unroll(blockRow);
  sum.compute_at(out, block).store_in(Halide::MemoryType::Stack);
  sum.vectorize(column, lanes).unroll(column).unroll(row);
  sum.update().reorder(column, row, k).vectorize(column, lanes).unroll(column).unroll(row);
  if (spec.fetchAhead)
    ahead.schedule(out, block);
  constrainOutput(out);
  out.output_buffer().dim(1).set_stride(columns);

  std::vector<Halide::Argument> inputs{a, b};
  if (spec.rescaled)
    inputs.push_back(factor);
  if (!spec.fresh)
    inputs.push_back(accIn);
  inputs.insert(inputs.end(), {count, depth});
  if (spec.prefetchNext)
    inputs.push_back(address);
  if (spec.fetchAhead)
    ahead.appendArguments(inputs);
  return {{out}, inputs};
}

template <> Kernel describeKernel(const AccumulateSpec &spec, const KernelTarget &target) {
  std::string prefix = "accumulate_" + std::to_string(spec.block.rows) + "x" +
                       std::to_string(spec.block.vectors) + "_c" + std::to_string(spec.columns);
  std::string key = std::string(spec.rescaled ? "rescaled" : "") + (spec.bDense ? " dense" : "") +
                    (spec.prefetchNext ? " prefetch" : "") + (spec.fetchAhead ? " ahead" : "") +
                    (spec.fresh ? " fresh" : "") + " a" + std::to_string(spec.aColumns);
  Kernel kernel{kernelSymbol(prefix, key, target), {bufferArgument(2), bufferArgument(2)}, {}};
  if (spec.rescaled)
    kernel.arguments.push_back(bufferArgument(1));
  if (!spec.fresh)
    kernel.arguments.push_back(bufferArgument(2));
  kernel.arguments.insert(kernel.arguments.end(), 2, int32Argument());
  if (spec.prefetchNext)
    kernel.arguments.push_back({KernelArgument::Kind::Address, ElementType::F32, 0, 1});
  if (spec.fetchAhead)
    kernel.arguments.insert(kernel.arguments.end(),
                            {bufferArgument(2, ElementType::I32),
                             int32Argument(),
                             int32Argument(),
                             int32Argument(),
                             {KernelArgument::Kind::Address, ElementType::F32, 0, 0}});
  kernel.arguments.push_back(bufferArgument(2));
  return kernel;
}

template <>
llvm::Expected<Kernel> generateKernel(const AccumulateSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildAccumulate(spec, target); });
}

} // namespace attune::cpu
