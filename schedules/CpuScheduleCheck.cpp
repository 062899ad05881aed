//===- CpuScheduleCheck.cpp - Legality of a schedule ----------------------===//
//
// Says what the code generators rely on. A legal schedule may be slow; it never makes wrong code.
//
//===----------------------------------------------------------------------===//
#include "schedules/CpuSchedule.h"
#include <algorithm>
#include <numeric>
#include <string_view>
#include <tuple>

namespace attune {
namespace {

constexpr int64_t floatBytes = 4;

struct Context {
  const CpuSchedule &schedule;
  const ScheduleProblem &problem;
  const CpuTraits &cpu;
};

std::string text(int64_t value) { return std::to_string(value); }

std::string found(std::string_view field, int64_t value) {
  return std::string(field) + ": found " + text(value) + ", expected ";
}

/// A number of the schedule, the problem or the CPU, with its bounds.
struct Bound {
  std::string_view field;
  int64_t (*value)(const Context &);
  int64_t min, max;
};

// The upper bounds keep products of two fields within 32 bits and hold back nonsense.
const Bound bounds[] = {
    {"head_dim", [](const Context &c) { return c.problem.headDim; }, 1, 1 << 20},
    {"vector_registers", [](const Context &c) { return int64_t(c.cpu.vectorRegisters); }, 4, 256},
    {"query_tile", [](const Context &c) { return int64_t(c.schedule.queryTile); }, 1, 1 << 12},
    {"kv_tile", [](const Context &c) { return int64_t(c.schedule.kvTile); }, 1, 1 << 14},
    {"scores.rows", [](const Context &c) { return int64_t(c.schedule.scores.rows); }, 1,
     maxBlockRows},
    {"scores.vectors", [](const Context &c) { return int64_t(c.schedule.scores.vectors); }, 1, 64},
    {"values.rows", [](const Context &c) { return int64_t(c.schedule.values.rows); }, 1,
     maxBlockRows},
    {"values.vectors", [](const Context &c) { return int64_t(c.schedule.values.vectors); }, 1, 64},
    {"projection.rows", [](const Context &c) { return int64_t(c.schedule.projection.rows); }, 1,
     maxBlockRows},
    {"projection.vectors", [](const Context &c) { return int64_t(c.schedule.projection.vectors); },
     1, 64},
    {"projection_rows", [](const Context &c) { return int64_t(c.schedule.projectionRows); }, 1,
     1 << 12},
    {"projection_depth", [](const Context &c) { return int64_t(c.schedule.projectionDepth); }, 1,
     1 << 16},
    {"weight_panel", [](const Context &c) { return int64_t(c.schedule.weightPanel); }, 1, 1 << 12},
    {"exp2_degree", [](const Context &c) { return int64_t(c.schedule.exp2Degree); }, 3, 7},
    {"grain", [](const Context &c) { return int64_t(c.schedule.grain); }, 1, 1 << 16},
    {"heads_per_worker", [](const Context &c) { return int64_t(c.schedule.headsPerWorker); }, 0,
     1 << 16},
    {"few_rows", [](const Context &c) { return int64_t(c.schedule.fewRows); }, 0, 64},
    {"split_keys", [](const Context &c) { return int64_t(c.schedule.splitKeys); }, 1, 1 << 20},
};

std::string checkBounds(const Context &c) {
  for (const Bound &bound : bounds) {
    int64_t value = bound.value(c);
    if (value < bound.min || value > bound.max)
      return found(bound.field, value) + text(bound.min) + " to " + text(bound.max);
  }
  if (c.problem.hasProjections && c.problem.embedDim < 1)
    return found("embed_dim", c.problem.embedDim) + "at least 1";
  int lanes = c.cpu.vectorLanes;
  if (lanes != 4 && lanes != 8 && lanes != 16)
    return found("vector_lanes", lanes) + "4, 8 or 16";
  return "";
}

std::string checkRegisters(const Context &c) {
  const std::pair<std::string_view, RegisterBlock> blocks[] = {
      {"scores", c.schedule.scores},
      {"values", c.schedule.values},
      {"projection", c.schedule.projection}};
  for (const auto &[field, block] : blocks) {
    int needed = block.rows * block.vectors + block.vectors + 1;
    if (needed <= c.cpu.vectorRegisters)
      continue;
    int rows = (c.cpu.vectorRegisters - 1 - block.vectors) / block.vectors;
    return std::string(field) + ": found " + text(block.rows) + " rows of " + text(block.vectors) +
           " vectors, which need " + text(needed) +
           " registers (rows * vectors + vectors + 1); the CPU has " + text(c.cpu.vectorRegisters) +
           "; expected " + (rows > 0 ? "at most " + text(rows) + " rows" : "fewer vectors");
  }
  return "";
}

std::string checkMultiples(const Context &c) {
  struct Multiple {
    std::string_view field;
    int64_t value;
    std::string_view unitField;
    int64_t unit;
  };
  const CpuSchedule &s = c.schedule;
  const Multiple multiples[] = {
      {"query_tile", s.queryTile, "scores.rows", s.scores.rows},
      {"query_tile", s.queryTile, "values.rows", s.values.rows},
      {"kv_tile", s.kvTile, "the key panel: scores.vectors * lanes", s.keyPanel(c.cpu)},
      {"split_keys", s.splitKeys, "kv_tile", s.kvTile},
      {"projection_rows", s.projectionRows, "projection.rows", s.projection.rows},
      {"weight_panel", s.weightPanel, "projection.vectors * lanes", s.projectionColumns(c.cpu)},
  };
  for (const Multiple &m : multiples)
    if (m.value % m.unit != 0)
      return found(m.field, m.value) + "a multiple of " + text(m.unit) + " (" +
             std::string(m.unitField) + ")";
  return "";
}

/// Tiles of pairs are whole.
std::string checkPairs(const Context &c) {
  if (c.cpu.pairProducts == PairProducts::None)
    return "";
  const CpuSchedule &s = c.schedule;
  const bool tiles = c.cpu.pairProducts == PairProducts::Tiles;
  const std::tuple<std::string_view, int64_t, int64_t> multiples[] = {
      {"scores.vectors * lanes", s.keyPanel(c.cpu), pairTileDepth},
      {"projection_depth", s.projectionDepth, pairTileDepth},
      {"query_tile", s.queryTile, tiles ? pairTileRows : 1},
      {"projection_rows", s.projectionRows, tiles ? pairTileRows : 1}};
  for (const auto &[field, value, unit] : multiples)
    if (value % unit != 0)
      return found(field, value) + "a multiple of " + text(unit) +
             ", as products of bfloat16 take whole tiles";
  return "";
}

std::string checkPacking(const Context &c) {
  if (c.schedule.packValue == PackValue::PerHead)
    return "";
  if (c.problem.hasProjections)
    return "pack_value: found \"as_is\", expected \"per_head\" where there are projections";
  int64_t padded = c.schedule.paddedHeadDim(c.cpu, c.problem.headDim);
  if (padded != c.problem.headDim)
    return "pack_value: found \"as_is\", expected \"per_head\" because head_dim (" +
           text(c.problem.headDim) + ") is padded to " + text(padded);
  return "";
}

/// Tiles stay in L2, except that one register block, one key panel are always allowed.
std::string checkFootprints(const Context &c) {
  const CpuSchedule &s = c.schedule;
  int64_t padded = s.paddedHeadDim(c.cpu, c.problem.headDim);
  int64_t keyBytes = s.kvTile * c.problem.headDim * floatBytes;
  if (keyBytes > c.cpu.l2Bytes && s.kvTile > s.keyPanel(c.cpu))
    return found("kv_tile", s.kvTile) + "fewer keys: they take " + text(keyBytes) +
           " bytes, L2 has " + text(c.cpu.l2Bytes);
  // A row of queries, accumulators, scores and probabilities.
  int64_t rowBytes = (c.problem.headDim + padded + 2 * s.kvTile) * floatBytes;
  int64_t queryBytes = s.queryTile * rowBytes;
  if (queryBytes > c.cpu.l2Bytes && s.queryTile > s.queryUnit(c.cpu))
    return found("query_tile", s.queryTile) + "fewer rows: they take " + text(queryBytes) +
           " bytes, L2 has " + text(c.cpu.l2Bytes);
  return "";
}

} // namespace

std::string checkSchedule(const CpuSchedule &schedule, const ScheduleProblem &problem,
                          const CpuTraits &cpu) {
  Context context{schedule, problem, cpu};
  // Later checks divide by what earlier ones found positive.
  for (auto check :
       {checkBounds, checkRegisters, checkMultiples, checkPairs, checkPacking, checkFootprints})
    if (std::string problemText = check(context); !problemText.empty())
      return problemText;
  return "";
}

} // namespace attune
