//===- FewRows.cpp - Products and splits of a few query rows --------------===//
//
// What a few query rows take beside Scores: values are read once, where they lie, and the results
// of parts of the keys are kept and merged.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Exp2.h"
#include "codegen/cpu/kernels/HalideCommon.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::MemoryType;
using Halide::Param;
using Halide::RDom;
using Halide::TailStrategy;
using Halide::Var;

//===----------------------------------------------------------------------===//
// AccumulateRows
//===----------------------------------------------------------------------===//

namespace {
/// Rows of b that go into the accumulator at once: it is loaded and stored as much less often.
constexpr int groupRows = 8;
/// How many of these groups before its use a line of b is fetched.
constexpr int groupsAhead = 4;

/// Columns [first, first + count * lanes) in vectors of `lanes`.
struct ColumnPiece {
  int first, lanes, count;
};

/// All columns in whole vectors, then in vectors half as long, and so on.
std::vector<ColumnPiece> piecesOf(int columns, int lanes) {
  std::vector<ColumnPiece> pieces;
  for (int first = 0; first < columns; lanes /= 2)
    if (const int count = (columns - first) / lanes; count > 0) {
      pieces.push_back({first, lanes, count});
      first += count * lanes;
    }
  return pieces;
}

/// Adds the products of `group` successive rows of b, from row `first` + k * group on, to a piece.
/// Of two vectors of bfloat16 a lane takes two columns that lie side by side, which a shift and a
/// mask convert; else a lane takes one.
void addProducts(Func &out, const ColumnPiece &piece, const ImageParam &a, const ImageParam &b,
                 const Expr &address, const Expr &first, const Expr &groups, int group) {
  const Var row = out.args()[1], i("i"), part("part"), u("u"), vector("vector"), k("k");
  const int perLine = vectorsOfLine(piece.lanes, b.type());
  const int parts = b.type().is_bfloat() && perLine % 2 == 0 && piece.count % 2 == 0 ? 2 : 1;
  const int width = parts * piece.lanes, stepsOfLine = perLine / parts;
  auto wide = [](const Expr &x) { return Halide::cast<uint64_t>(x); };
  // THE ALGORITHM
  Func left("left"), apart("apart"), products("products");
  // Where a line holds several vectors of a row, each fetches that line of another row.
  const Expr depth = first + k * group + u;
  const Expr later =
      wide(depth + vector % stepsOfLine + groupsAhead * group) * wide(b.dim(1).stride()) +
      wide(piece.first + vector / stepsOfLine * (perLine * piece.lanes));
  const Expr factor = a(depth, row);
  left(u, vector, row, k) =
      group > 1
          ? select(u % stepsOfLine == 0,
                   pureCall(prefetchFunction, {factor, address + later * b.type().bytes()}), factor)
          : factor;
  std::vector<Expr> sums(parts, 0.0f);
  for (int v = 0; v < group; ++v)
    for (int part = 0; part < parts; ++part)
      sums[part] =
          sums[part] + left(v, vector, row, k) *
                           Halide::cast<float>(b(piece.first + vector * width + i * parts + part,
                                                 first + k * group + v));
  // Both in one statement share the loads.
  if (parts == 2) {
    apart(i, vector, row, k) = Halide::Tuple(sums);
    const Halide::FuncRef both = apart(i / 2, vector, row, k);
    products(i, vector, row, k) = select(i % 2 == 0, both[0], both[1]);
  } else {
    products(i, vector, row, k) = sums[0];
  }
  RDom r(0, width, 0, piece.count / parts, 0, groups, "r");
  out(piece.first + r.y * width + r.x, row) += products(r.x, r.y, row, r.z);

  // THE SCHEDULE
  Halide::Stage stage = out.update(out.num_update_definitions() - 1);
  stage.allow_race_conditions().reorder(r.x, r.y, row, r.z).vectorize(r.x);
  for (Func *func : {&left, &products})
    func->compute_at(out, r.y).store_in(MemoryType::Stack);
  if (parts == 2)
    apart.compute_at(out, r.y).store_in(MemoryType::Stack).bound(i, 0, piece.lanes).vectorize(i);
  left.bound(u, 0, group).unroll(u);
  products.bound(i, 0, width).split(i, i, part, parts).vectorize(i).reorder(i, part).unroll(part);
}
} // namespace

static Recipe buildAccumulateRows(const AccumulateRowsSpec &spec, const KernelTarget &target) {
  const int columns = static_cast<int>(spec.columns);
  ImageParam a = inputBuffer("a", 2), b = inputBuffer("b", 2, spec.bType),
             factor = inputBuffer("rescale", 1), accIn = inputBuffer("acc_in", 2);
  Param<int32_t> count("count"), depth("depth");
  Param<uint64_t> address("b_address");
  Var column("column"), row("row");
  accIn.dim(1).set_stride(columns);

  Func out("acc_out");
  out(column, row) = accIn(column, row) * factor(row);
  const Expr whole = depth / groupRows;
  for (const ColumnPiece &piece : piecesOf(columns, target.vectorLanes)) {
    addProducts(out, piece, a, b, address, 0, whole, groupRows);
    addProducts(out, piece, a, b, address, whole * groupRows, depth % groupRows, 1);
  }

  out.bound(column, 0, columns)
      .bound(row, 0, count)
      .vectorize(column, target.vectorLanes, TailStrategy::GuardWithIf);
  constrainOutput(out);
  out.output_buffer().dim(1).set_stride(columns);
  return {{out}, {a, b, factor, accIn, count, depth, address}};
}

template <> Kernel describeKernel(const AccumulateRowsSpec &spec, const KernelTarget &target) {
  std::string name = "accumulate_rows_c" + std::to_string(spec.columns) + typeSuffix(spec.bType);
  return {kernelSymbol(name, "", target),
          {bufferArgument(2),
           bufferArgument(2, spec.bType),
           bufferArgument(1),
           bufferArgument(2),
           int32Argument(),
           int32Argument(),
           {KernelArgument::Kind::Address, ElementType::F32, 0, 1},
           bufferArgument(2)},
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const AccumulateRowsSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildAccumulateRows(spec, target); });
}

//===----------------------------------------------------------------------===//
// Save
//===----------------------------------------------------------------------===//

static Recipe buildSave(const SaveSpec &spec, const KernelTarget &target) {
  const int lanes = target.vectorLanes, columns = static_cast<int>(spec.columns);
  ImageParam acc = inputBuffer("acc", 2), max = inputBuffer("max", 1),
             sums = inputBuffer("sums", 2);
  Param<int32_t> count("count");
  Var column("column"), row("row"), lane("lane"), which("which");
  acc.dim(1).set_stride(columns);
  sums.dim(1).set_stride(lanes);

  Func laneSums("lane_sums"), partial("partial"), stats("stats");
  partial(column, row) = acc(column, row);
  laneSums(lane, row) = sums(lane, row);
  auto add = [](const Expr &a, const Expr &b) { return a + b; };
  Func total = reduceLanes(laneSums, lanes, add, stats, row);
  stats(which, row) = select(which == 0, max(row), total(0, row));

  partial.bound(column, 0, columns)
      .bound(row, 0, count)
      .vectorize(column, lanes, TailStrategy::GuardWithIf);
  stats.bound(which, 0, 2).bound(row, 0, count).unroll(which);
  for (Func *output : {&partial, &stats})
    constrainOutput(*output);
  return {{partial, stats}, {acc, max, sums, count}};
}

template <> Kernel describeKernel(const SaveSpec &spec, const KernelTarget &target) {
  return {kernelSymbol("save_c" + std::to_string(spec.columns), "", target),
          {bufferArgument(2), bufferArgument(1), bufferArgument(2), int32Argument(),
           bufferArgument(2), bufferArgument(2)},
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const SaveSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildSave(spec, target); });
}

//===----------------------------------------------------------------------===//
// Merge
//===----------------------------------------------------------------------===//

static Recipe buildMerge(const MergeSpec &spec, const KernelTarget &target) {
  const int lanes = target.vectorLanes, columns = static_cast<int>(spec.columns);
  ImageParam partial = inputBuffer("partial", 3), stats = inputBuffer("stats", 3);
  Param<int32_t> parts("parts"), count("count");
  Var column("column"), row("row"), lane("lane"), part("part");

  // THE ALGORITHM
  Func maxOut("max_out"), factor("factor"), acc("acc"), sumOut("sum_out");
  RDom p(0, parts, "p");
  maxOut(row) = minusInfinity;
  maxOut(row) = maximum(maxOut(row), stats(0, row, p));
  constexpr int exactAtZero = 6;
  auto factorOf = [&](const Expr &which) {
    Expr drop = (stats(0, row, which) - finiteMaximum(maxOut(row))) * static_cast<float>(log2E);
    return exp2Polynomial(drop, exactAtZero, target);
  };
  factor(row, part) = factorOf(part);
  acc(column, row) = 0.0f;
  acc(column, row) += factor(row, p) * partial(column, row, p);
  sumOut(lane, row) = 0.0f;
  sumOut(0, row) += factorOf(p) * stats(1, row, p);

  // THE SCHEDULE
  maxOut.bound(row, 0, count);
  acc.bound(column, 0, columns).bound(row, 0, count);
  acc.vectorize(column, lanes, TailStrategy::GuardWithIf);
  acc.update().reorder(column, p, row).vectorize(column, lanes, TailStrategy::GuardWithIf);
  factor.compute_at(acc, p).store_in(MemoryType::Stack);
  sumOut.bound(row, 0, count).bound(lane, 0, lanes).vectorize(lane, lanes);
  sumOut.update().unscheduled();
  maxOut.update().unscheduled();
  std::vector<Func> outputs{acc, maxOut, sumOut};
  for (Func &output : outputs)
    constrainOutput(output);
  acc.output_buffer().dim(1).set_stride(columns);
  sumOut.output_buffer().dim(1).set_stride(lanes);
  return {outputs, {partial, stats, parts, count}};
}

template <> Kernel describeKernel(const MergeSpec &spec, const KernelTarget &target) {
  return {kernelSymbol("merge_c" + std::to_string(spec.columns), "", target),
          {bufferArgument(3), bufferArgument(3), int32Argument(), int32Argument(),
           bufferArgument(2), bufferArgument(1), bufferArgument(2)},
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const MergeSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildMerge(spec, target); });
}

} // namespace attune::cpu
