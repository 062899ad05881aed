//===- CostModel.cpp - What a schedule should cost, by arithmetic ---------===//
#include "schedules/CostModel.h"
#include <algorithm>
#include <cmath>

namespace attune {
namespace {

// A current core: two FMAs and two loads a cycle, five instructions, an FMA every 4 cycles in a
// chain.
constexpr double fmasPerCycle = 2, loadsPerCycle = 1.6, width = 5, latency = 4.2;
// Bytes a cycle that arrive from the next level, as tile kernels see them.
constexpr double l2Rate = 40, l3Rate = 10, memoryRate = 5;
constexpr double callCycles = 150; ///< of a kernel, with its descriptors
constexpr double floatBytes = 4;

double roundUp(double value, double unit) { return std::ceil(value / unit) * unit; }

/// Cycles of one step in depth of a register block: rows * vectors FMAs with their loads.
double stepCycles(const RegisterBlock &block) {
  const double fmas = block.rows * block.vectors, loads = block.rows + block.vectors;
  return std::max({fmas / fmasPerCycle, loads / loadsPerCycle, (fmas + loads) / width, latency});
}

/// Cycles of a product of rows x columns x depth in register blocks; accumulators are read and
/// written once.
double productCycles(double rows, double columns, double depth, const RegisterBlock &block,
                     int lanes) {
  const double blocks =
      roundUp(rows, block.rows) / block.rows * std::ceil(columns / (block.vectors * lanes));
  const double edges = 10 + 2.0 * block.rows * block.vectors;
  return blocks * (depth * stepCycles(block) + edges);
}

/// Tiles of `extent` in `unit`s: whole ones, and what the last one holds.
struct Tiles {
  Tiles(double extent, double unit)
      : whole(std::floor(extent / unit)), rest(extent - whole * unit) {}
  double whole, rest;

  /// The sum of a cost of a tile over all of them.
  template <typename Cost> double sum(double unit, Cost cost) const {
    return whole * (whole > 0 ? cost(unit) : 0) + (rest > 0 ? cost(rest) : 0);
  }
};

struct Estimate {
  const CpuSchedule &s;
  const ScheduleProblem &problem;
  const CpuTraits &cpu;
  const CallShape &call;

  double padded() const { return double(s.paddedHeadDim(cpu, problem.headDim)); }

  /// One query tile against one tile of keys.
  double tile(double rows, double keys) const {
    const double depth = double(problem.headDim), lanes = cpu.vectorLanes;
    const double scores = productCycles(rows, keys, depth, s.scores, cpu.vectorLanes);
    const double values = productCycles(rows, padded(), keys, s.values, cpu.vectorLanes);
    const double computedRows = roundUp(rows, s.scores.rows);
    const double vectors = computedRows * roundUp(keys, s.keyPanel(cpu)) / lanes;
    // Range reduction, scale, maximum, sum and conversion beside the polynomial.
    const double exponentials = vectors * (s.exp2Degree + 12) / fmasPerCycle;
    return scores + values + exponentials + tileBytes(computedRows, keys) / l2Rate + 4 * callCycles;
  }

  /// Bytes that a tile moves between L1 and L2.
  double tileBytes(double rows, double keys) const {
    const double depth = double(problem.headDim);
    const double keyBytes = keys * depth * floatBytes, valueBytes = keys * padded() * floatBytes;
    const double rowBytes = rows * (depth + padded()) * floatBytes;
    const double scoreBytes = rows * keys * floatBytes;
    // What exceeds L1 leaves it and comes again for every pass.
    const double beyond =
        std::clamp((rowBytes + scoreBytes) / double(cpu.l1Bytes) - 0.75, 0.0, 1.0);
    // Values of a block that come from L2 again arrive while it computes.
    return keyBytes + valueBytes + beyond * (6 * scoreBytes + 4 * rowBytes);
  }

  /// All keys of one query tile whose first row is `first`.
  double queryTile(double rows, double visible) const {
    const double keys = double(s.kvTile);
    double cycles = Tiles(visible, keys).sum(keys, [&](double count) { return tile(rows, count); });
    const double headBytes =
        double(call.source) * (double(problem.headDim) + padded()) * floatBytes;
    // A head that does not stay in L2 comes from L3 for every query tile.
    if (headBytes > 0.75 * double(cpu.l2Bytes))
      cycles += visible * (double(problem.headDim) + padded()) * floatBytes / l3Rate;
    return cycles + rows * padded() / cpu.vectorLanes + 2 * callCycles;
  }

  double attention() const { return hasFewRows() ? fewRows() : manyRows(); }

  bool hasFewRows() const { return call.target <= s.fewRows; }

  /// Keys and values of all heads, as they lie.
  double inputBytes() const {
    const double elements = double(call.batch * call.heads * call.source * problem.headDim);
    return 2 * elements * (problem.is16Bit ? 2 : 4);
  }
  /// Bytes a cycle at which they are read for the first time.
  double inputRate() const {
    return inputBytes() > 0.75 * double(cpu.l2Bytes) ? memoryRate : l2Rate;
  }

  /// A tile of keys that few rows read where it lies. The next bytes arrive meanwhile.
  double tileInPlace(double keys) const {
    const double rows = double(call.target), depth = double(problem.headDim);
    const double vectors = depth / cpu.vectorLanes;
    const double bytes = 2 * keys * depth * (problem.is16Bit ? 2 : 4);
    // Both products load keys and values once and the query or an accumulator for each row; a score
    // is summed over its lanes.
    const double loads = 2 * keys * vectors * (1 + rows / 2);
    const double fmas = 2 * rows * keys * vectors + rows * keys * std::log2(cpu.vectorLanes);
    const double exponentials = rows * keys / cpu.vectorLanes * (s.exp2Degree + 12);
    const double computed =
        std::max(loads / loadsPerCycle, fmas / fmasPerCycle) + exponentials / fmasPerCycle;
    return std::max(bytes / inputRate(), computed) + 3 * callCycles;
  }

  /// One query tile reads each key and value once, in splits, whose results are kept and merged.
  double fewRows() const {
    const double source = double(call.source), keys = double(s.kvTile);
    const double heads = double(call.batch * call.heads);
    const double visible = call.isCausal ? double(std::min(call.source, call.target)) : source;
    const double splits = std::ceil(source / s.splitKeys);
    const double kept = double(call.target) * double(problem.headDim + 2) * floatBytes;
    const double merging = splits * (2 * kept / l2Rate + 3 * callCycles) + 2 * callCycles;
    const double reading = Tiles(visible, keys).sum(keys, [&](double n) { return tileInPlace(n); });
    return heads * (reading * imbalance(heads * splits) + merging * imbalance(heads));
  }

  double manyRows() const {
    const double rows = double(s.queryTile), source = double(call.source);
    double cycles = Tiles(double(call.target), rows).sum(rows, [&](double count) {
      // Half of the keys, and what a tile on the diagonal computes in vain.
      const double visible =
          call.isCausal ? std::min(source, source / 2 + (count + double(s.kvTile)) / 2) : source;
      return queryTile(count, visible);
    });
    const double panels = roundUp(source, s.keyPanel(cpu)) * double(problem.headDim);
    const double copied = s.packValue == PackValue::PerHead ? source * padded() : 0;
    cycles += (2 * panels + copied) * 2 * floatBytes / l2Rate;
    const double heads = double(call.batch * call.heads);
    return (cycles * heads + inputBytes() / inputRate()) * imbalance(unitsOfMany());
  }

  /// What workers take at a time.
  double unitsOfMany() const {
    const double heads = double(call.batch * call.heads);
    const bool wholeHeads = heads >= double(s.headsPerWorker) * (call.threads - 1);
    return wholeHeads ? heads : heads * std::ceil(double(call.target) / s.queryTile) / s.grain;
  }

  /// How much longer the last worker takes than the average one.
  double imbalance(double units) const {
    units = std::ceil(units);
    return std::ceil(units / call.threads) * call.threads / units;
  }

  /// The four products with weights.
  double projections() const {
    if (!problem.hasProjections)
      return 0;
    const double rows = double(call.batch * call.target), width = double(problem.embedDim);
    const double depth = std::min(width, double(s.projectionDepth));
    const double tileRows = double(s.projectionRows), steps = std::ceil(width / depth);
    const double columns = s.projectionColumns(cpu);
    double cycles = Tiles(rows, tileRows).sum(tileRows, [&](double count) {
      const double results = 2 * count * width * floatBytes * (steps - 1);
      return steps * productCycles(count, width, depth, s.projection, cpu.vectorLanes) +
             results / l2Rate + width * width * floatBytes / memoryRate / 4 +
             steps * width / columns * callCycles;
    });
    // A panel of weights serves all rows of a tile from L1, or comes from L2 for each block.
    const double panelBytes = depth * columns * floatBytes;
    const double beyond = std::clamp(panelBytes / double(cpu.l2Bytes) - 0.5, 0.0, 1.0);
    return 4 * cycles * (1 + beyond);
  }
};

} // namespace

double predictCycles(const CpuSchedule &schedule, const ScheduleProblem &problem,
                     const CpuTraits &cpu, const CallShape &call) {
  const Estimate estimate{schedule, problem, cpu, call};
  return estimate.attention() + estimate.projections() / call.threads;
}

} // namespace attune
