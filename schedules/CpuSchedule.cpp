//===- CpuSchedule.cpp - The default schedule -----------------------------===//
//
// README.md derives the numbers.
//
//===----------------------------------------------------------------------===//
#include "schedules/CpuSchedule.h"
#include <algorithm>
#include <numeric>

namespace attune {
namespace {

constexpr int64_t floatBytes = 4;

int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

/// Rows that fit the registers beside `vectors` operands and one broadcast.
int mostRows(int vectors, const CpuTraits &cpu) {
  return std::min(maxBlockRows, (cpu.vectorRegisters - 1 - vectors) / vectors);
}

RegisterBlock scoreBlock(const CpuTraits &cpu) {
  if (cpu.vectorRegisters < 32)
    return {6, 2};
  // With 4 lanes, four query elements of a row fill a register, of which FMAs take one lane each:
  // fewer loads than broadcasts, but a register for each row.
  return cpu.vectorLanes == 4 ? RegisterBlock{6, 3} : RegisterBlock{6, 4};
}

/// The relative time of a value block: columns computed, padding included, times the slowdown where
/// loads, not FMAs, are the limit.
double blockCost(const RegisterBlock &block, int64_t vectorsNeeded) {
  // FMA units starve when loads come close to one an FMA.
  constexpr double freeLoads = 0.75;
  double loads = double(block.rows + block.vectors) / (block.rows * block.vectors);
  return double(roundUp(vectorsNeeded, block.vectors)) * std::max(1.0, loads / freeLoads);
}

/// The value block: least cost; among equals, fewest loads an FMA.
RegisterBlock valueBlock(int64_t headDim, const CpuTraits &cpu) {
  int64_t needed = roundUp(headDim, cpu.vectorLanes) / cpu.vectorLanes;
  RegisterBlock best;
  auto rank = [&](const RegisterBlock &block) {
    return std::pair(blockCost(block, needed),
                     double(block.rows + block.vectors) / (block.rows * block.vectors));
  };
  for (int vectors = 1; mostRows(vectors, cpu) > 0 && vectors <= needed; ++vectors) {
    RegisterBlock block{mostRows(vectors, cpu), vectors};
    // Fewer accumulators do not hide the latency of an FMA.
    bool hidesLatency = block.rows * block.vectors >= 8;
    if (hidesLatency && (best.rows == 0 || rank(block) < rank(best)))
      best = block;
  }
  return best;
}

/// Three vectors of columns: with 16 registers 4 x 3 was measured 10 % faster than 6 x 2, with 32
/// registers 8 x 3 a few percent faster than 6 x 4 (README.md), unless they pad many more columns.
/// AMX tiles have blocks of their own: rows that divide theirs.
RegisterBlock projectionBlock(int64_t embedDim, const CpuTraits &cpu) {
  if (cpu.pairProducts == PairProducts::Tiles)
    return {4, 4};
  const bool manyRegisters = cpu.vectorRegisters >= 32;
  const RegisterBlock block = manyRegisters ? RegisterBlock{8, 3} : RegisterBlock{4, 3},
                      other = manyRegisters ? RegisterBlock{6, 4} : RegisterBlock{6, 2};
  auto columns = [&](const RegisterBlock &block) {
    return double(roundUp(embedDim, int64_t(block.vectors) * cpu.vectorLanes));
  };
  constexpr double slower = 1.1;
  return columns(block) > slower * columns(other) ? other : block;
}

/// The usual 128 rows are one tile, so that weights are read once.
void setProjection(CpuSchedule &schedule, RegisterBlock block, const CpuTraits &cpu) {
  schedule.projection = block;
  schedule.projectionRows = int(roundUp(128, schedule.projectionUnit(cpu)));
}

/// The depth in equal blocks of at most `most`: a short last block loads and stores accumulators
/// for little.
int depthOfBlock(int64_t embedDim, int64_t most, const CpuTraits &cpu) {
  const int64_t blocks = std::max<int64_t>((embedDim + most - 1) / most, 1);
  const int64_t depth = embedDim > 0 ? (embedDim + blocks - 1) / blocks : most;
  return int(cpu.pairProducts == PairProducts::None ? depth : roundUp(depth, pairTileDepth));
}

/// Accumulators of tiles go through memory for every kv tile: few, long ones.
int keysOfTile(const CpuSchedule &schedule, int64_t headDim, const CpuTraits &cpu) {
  const int64_t most = cpu.pairProducts == PairProducts::Tiles ? 1024 : 128;
  int64_t panel = schedule.keyPanel(cpu), keys = roundUp(most, panel);
  while (keys * headDim * floatBytes > cpu.l2Bytes / 4 && keys / 2 >= panel)
    keys = keys / 2 / panel * panel;
  return int(keys);
}

/// Fewer rows read a key panel from L2 too often, so wide heads leave L1. Those whose keys and
/// values L2 does not hold, at the lengths that go with such a head_dim, come from beyond it for
/// every query tile, which twice the rows make half as many. AMX tiles read and write memory by
/// rows of 64 bytes, for which L2 is near enough.
int64_t leastRows(int64_t headDim, const CpuTraits &cpu) {
  if (cpu.pairProducts == PairProducts::Tiles)
    return 96;
  const int64_t elementBytes = cpu.pairProducts == PairProducts::None ? floatBytes : floatBytes / 2;
  const int64_t keys = 16 * headDim;
  return 2 * keys * headDim * elementBytes >= cpu.l2Bytes ? 48 : 24;
}

/// Query rows: queries, accumulators and probabilities stay within half of L1, but for the least
/// rows; more than 96 gain nothing. Scores included, everything stays within half of L2.
int rowsOfTile(const CpuSchedule &schedule, int64_t headDim, const CpuTraits &cpu) {
  int64_t rowBytes = (headDim + schedule.paddedHeadDim(cpu, headDim)) * floatBytes;
  int64_t inL1 = cpu.l1Bytes / 2 / (rowBytes + schedule.kvTile * floatBytes);
  int64_t inL2 = cpu.l2Bytes / 2 / (rowBytes + 2 * schedule.kvTile * floatBytes);
  int64_t rows = std::min(std::clamp<int64_t>(inL1, leastRows(headDim, cpu), 96), inL2);
  int64_t unit = schedule.queryUnit(cpu);
  return int(std::max(rows / unit * unit, unit));
}

} // namespace

static int64_t wholeTiles(int64_t blockRows, const CpuTraits &cpu) {
  return cpu.pairProducts == PairProducts::Tiles ? std::lcm(blockRows, pairTileRows) : blockRows;
}

int64_t CpuSchedule::queryUnit(const CpuTraits &cpu) const {
  return wholeTiles(std::lcm(scores.rows, values.rows), cpu);
}

int64_t CpuSchedule::projectionUnit(const CpuTraits &cpu) const {
  return wholeTiles(projection.rows, cpu);
}

int64_t CpuSchedule::paddedHeadDim(const CpuTraits &cpu, int64_t headDim) const {
  return roundUp(headDim, int64_t(values.vectors) * cpu.vectorLanes);
}

void fitWeightPanel(CpuSchedule &schedule, int panel, const CpuTraits &cpu) {
  if (panel % schedule.projectionColumns(cpu) == 0)
    return;
  auto accumulators = [](const RegisterBlock &block) { return block.rows * block.vectors; };
  RegisterBlock best;
  for (int vectors = 1; vectors <= 4; ++vectors) {
    const RegisterBlock block{std::min(8, mostRows(vectors, cpu)), vectors};
    if (panel % (vectors * cpu.vectorLanes) == 0 && accumulators(block) >= accumulators(best))
      best = block;
  }
  if (best.rows > 0)
    setProjection(schedule, best, cpu);
}

CpuSchedule defaultSchedule(const ScheduleProblem &problem, const CpuTraits &cpu) {
  bool manyRegisters = cpu.vectorRegisters >= 32;
  CpuSchedule schedule;
  schedule.scores = scoreBlock(cpu);
  // Tiles have blocks of their own; these rows go well with theirs, and pad the least columns.
  schedule.values = cpu.pairProducts == PairProducts::Tiles ? RegisterBlock{12, 1}
                                                            : valueBlock(problem.headDim, cpu);
  schedule.kvTile = keysOfTile(schedule, problem.headDim, cpu);
  schedule.fewRows = 8;
  schedule.splitKeys = int(roundUp(512, schedule.kvTile));
  schedule.queryTile = rowsOfTile(schedule, problem.headDim, cpu);
  // Only the core alone gets its values from the caller, who may have laid them out densely.
  bool dense = schedule.paddedHeadDim(cpu, problem.headDim) == problem.headDim;
  // Probabilities in bfloat16 have an error of 2^-9; that of degree 3 is 7.5e-5.
  if (cpu.pairProducts != PairProducts::None)
    schedule.exp2Degree = 3;
  // Some columns of every row touch a part of the sets of L1 only, where rows are long.
  constexpr int64_t longRow = 512;
  bool isShort = problem.headDim * floatBytes < longRow;
  schedule.packValue =
      !problem.hasProjections && dense && isShort ? PackValue::AsIs : PackValue::PerHead;
  setProjection(schedule, projectionBlock(problem.embedDim, cpu), cpu);
  // Accumulators of tiles go through memory for every block of the depth: one block for all.
  const bool tiles = cpu.pairProducts == PairProducts::Tiles;
  const int64_t most = tiles ? 1 << 13 : manyRegisters ? 512 : 384;
  // They are also done with a weight panel before the next has come from memory: twice the rows
  // read weights half as often, if L2 holds the rows.
  constexpr int64_t rows = 256;
  if (tiles && rows * problem.embedDim * floatBytes / 2 <= cpu.l2Bytes / 2)
    schedule.projectionRows = int(roundUp(rows, schedule.projectionUnit(cpu)));
  schedule.projectionDepth = depthOfBlock(problem.embedDim, most, cpu);
  schedule.weightPanel = schedule.projectionColumns(cpu);
  return schedule;
}

} // namespace attune
