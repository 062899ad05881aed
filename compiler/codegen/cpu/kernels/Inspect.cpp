//===- Inspect.cpp - What masks let through -------------------------------===//
//
// Both kernels reduce values to the pair of their minimum and their maximum.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/HalideCommon.h"

namespace attune::cpu {

using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::MemoryType;
using Halide::RDom;
using Halide::Tuple;
using Halide::Var;

/// Extends ranges(at), a pair {minimum, maximum}, by two values.
static void extend(Func &ranges, const Expr &at, const Expr &low, const Expr &high) {
  ranges(at) = Tuple(min(ranges(at)[0], low), max(ranges(at)[1], high));
}

/// Schedules ranges(lane) of `count` pairs, whose first updates are of whole vectors, at the start
/// of `out` and reduces it by halves to one pair, the result.
static Tuple reduceRanges(Func ranges, int count, int vectorUpdates, Func &out) {
  Var lane = ranges.args()[0];
  auto schedule = [&](Func &func, int width) {
    func.compute_at(out, Var::outermost()).store_in(MemoryType::Stack).bound(lane, 0, width);
    func.vectorize(lane, width);
  };
  schedule(ranges, count);
  for (int i = 0; i < ranges.num_update_definitions(); ++i)
    if (i < vectorUpdates)
      ranges.update(i).vectorize(lane, count);
    else
      ranges.update(i).unscheduled();
  for (int width = count / 2; width >= 1; width /= 2) {
    Func half(ranges.name() + "_" + std::to_string(width));
    half(lane) = Tuple(min(ranges(lane)[0], ranges(lane + width)[0]),
                       max(ranges(lane)[1], ranges(lane + width)[1]));
    schedule(half, width);
    ranges = half;
  }
  return ranges(0);
}

/// Two i32 values in memory.
static void storePair(Func &out, const Expr &first, const Expr &second) {
  Var which("which");
  out(which) = select(which == 0, first, second);
  out.bound(which, 0, 2).unroll(which);
  constrainOutput(out);
}

//===----------------------------------------------------------------------===//
// KeyRange
//===----------------------------------------------------------------------===//

static Recipe buildKeyRange(const KeyRangeSpec &spec, const KernelTarget &target) {
  ImageParam padding = inputBuffer("padding", 1, spec.type);
  const int lanes = target.vectorLanes;
  Expr count = padding.dim(0).extent();
  Var lane("lane");

  // Whole vectors, then the rest one by one.
  Func ranges("ranges"), out("range");
  RDom vectors(0, count / lanes, "vectors"), rest(count / lanes * lanes, count % lanes, "rest");
  const Expr none = Halide::Int(32).max();
  auto extendByKey = [&](const Expr &at, const Expr &key) {
    Expr hidden = hidesKey(padding(key));
    extend(ranges, at, select(hidden, none, key), select(hidden, 0, key + 1));
  };
  ranges(lane) = Tuple(none, Expr(0));
  extendByKey(lane, vectors * lanes + lane);
  extendByKey(0, rest);
  Tuple range = reduceRanges(ranges, lanes, 1, out);
  storePair(out, select(range[1] == 0, 0, range[0]), range[1]);
  return {{out}, {padding}};
}

template <> Kernel describeKernel(const KeyRangeSpec &spec, const KernelTarget &target) {
  const std::string name = std::string("key_range_") + elementName(spec.type);
  return {kernelSymbol(name, "", target),
          {bufferArgument(1, spec.type), bufferArgument(1, ElementType::I32)},
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const KeyRangeSpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target,
                       [&] { return buildKeyRange(spec, target); });
}

//===----------------------------------------------------------------------===//
// Classify
//===----------------------------------------------------------------------===//

static Recipe buildClassify() {
  ImageParam mask = inputBuffer("mask", 2, ElementType::U8);
  const int bytes = 16;
  Expr columns = mask.dim(0).extent(), rows = mask.dim(1).extent();
  Var lane("lane");

  // Whole vectors of a row, a last one that overlaps them, and rows shorter than a vector.
  Func ranges("ranges"), out("classes");
  RDom whole(0, columns / bytes, 0, rows, "whole"),
      last(0, select(columns < bytes, 0, rows), "last"),
      narrow(0, select(columns < bytes, columns, 0), 0, rows, "narrow");
  auto extendByElement = [&](const Expr &at, const Expr &column, const Expr &row) {
    extend(ranges, at, mask(column, row), mask(column, row));
  };
  ranges(lane) = Tuple(Halide::UInt(8).max(), Halide::UInt(8).min());
  extendByElement(lane, whole.x * bytes + lane, whole.y);
  extendByElement(lane, columns - bytes + lane, last);
  extendByElement(0, narrow.x, narrow.y);
  Tuple range = reduceRanges(ranges, bytes, 2, out);
  storePair(out, Halide::cast<int32_t>(range[0] == 0), Halide::cast<int32_t>(range[1] == 0));
  return {{out}, {mask}};
}

template <> Kernel describeKernel(const ClassifySpec &, const KernelTarget &target) {
  return {kernelSymbol("classify", "", target),
          {bufferArgument(2, ElementType::U8), bufferArgument(1, ElementType::I32)},
          {}};
}

template <>
llvm::Expected<Kernel> generateKernel(const ClassifySpec &spec, const KernelTarget &target) {
  return compileKernel(describeKernel(spec, target), target, buildClassify);
}

} // namespace attune::cpu
