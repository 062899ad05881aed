//===- Knobs.cpp - What may be varied in a schedule -----------------------===//
//
// The table is the space that schedules are searched in. Legality is checkSchedule's alone.
//
//===----------------------------------------------------------------------===//
#include "schedules/Knobs.h"
#include <algorithm>
#include <charconv>
#include <numeric>

namespace attune {
namespace {

using Values = std::vector<int64_t>;

// A register block as one value.
constexpr int64_t blockBase = 256;
int64_t encode(const RegisterBlock &block) { return block.rows * blockBase + block.vectors; }
RegisterBlock decode(int64_t value) { return {int(value / blockBase), int(value % blockBase)}; }
std::string blockText(int64_t value) {
  RegisterBlock block = decode(value);
  return std::to_string(block.rows) + "x" + std::to_string(block.vectors);
}

std::string numberText(int64_t value) { return std::to_string(value); }

/// Apart from numberText, since not every number will do.
std::string degreeText(int64_t value) { return numberText(value); }

std::string packText(int64_t value) {
  return PackValue(value) == PackValue::AsIs ? "as_is" : "per_head";
}

/// Blocks of at most `mostVectors` that fit the registers and hide the latency of an FMA.
Values blocks(const CpuTraits &cpu, int64_t mostVectors) {
  constexpr int leastAccumulators = 8;
  Values values;
  for (int rows = 1; rows <= maxBlockRows; ++rows)
    for (int vectors = 1; vectors <= mostVectors; ++vectors)
      if (rows * vectors >= leastAccumulators &&
          rows * vectors + vectors + 1 <= cpu.vectorRegisters)
        values.push_back(encode({rows, vectors}));
  return values;
}

Values valueBlocks(const ScheduleProblem &problem, const CpuTraits &cpu) {
  return blocks(cpu, (problem.headDim + cpu.vectorLanes - 1) / cpu.vectorLanes);
}

Values anyBlocks(const ScheduleProblem &, const CpuTraits &cpu) {
  return blocks(cpu, cpu.vectorRegisters);
}

Values packValues(const ScheduleProblem &problem, const CpuTraits &) {
  if (problem.hasProjections)
    return {int64_t(PackValue::PerHead)};
  return {int64_t(PackValue::AsIs), int64_t(PackValue::PerHead)};
}

/// Degrees whose error the results hide: 2 ULP of float32 are allowed, and degree 5 has a bit more;
/// degree 3 has 1.0e-4, a fifth of what rounding to float16 may do.
Values exp2Degrees(const ScheduleProblem &problem, const CpuTraits &) {
  return problem.is16Bit ? Values{3, 4, 5, 6} : Values{6};
}

bool hasProjections(const ScheduleProblem &problem, const CallShape &) {
  return problem.hasProjections;
}
/// Few enough queries that a program for few may be the one that runs.
bool hasFewRows(const ScheduleProblem &, const CallShape &call) { return call.target <= 16; }
bool hasThreads(const ScheduleProblem &, const CallShape &call) { return call.threads > 1; }

#define ATTUNE_NUMBER(MEMBER)                                                                      \
  [](const CpuSchedule &s) { return int64_t(s.MEMBER); },                                          \
      [](CpuSchedule &s, int64_t value) { s.MEMBER = int(value); }
#define ATTUNE_BLOCK(MEMBER)                                                                       \
  [](const CpuSchedule &s) { return encode(s.MEMBER); },                                           \
      [](CpuSchedule &s, int64_t value) { s.MEMBER = decode(value); }
#define ATTUNE_VALUES(...)                                                                         \
  [](const ScheduleProblem &, const CpuTraits &) { return Values{__VA_ARGS__}; }
#define ATTUNE_UNIT(EXPRESSION)                                                                    \
  [](const CpuSchedule &s, [[maybe_unused]] const CpuTraits &cpu) { return int64_t(EXPRESSION); }

const Knob table[] = {
    {"scores", ATTUNE_BLOCK(scores), anyBlocks, nullptr, blockText, nullptr},
    {"values", ATTUNE_BLOCK(values), valueBlocks, nullptr, blockText, nullptr},
    {"projection", ATTUNE_BLOCK(projection), anyBlocks, nullptr, blockText, hasProjections},
    {"query_tile", ATTUNE_NUMBER(queryTile),
     ATTUNE_VALUES(8, 12, 16, 24, 32, 36, 48, 60, 64, 72, 84, 96, 120, 144, 192, 256),
     ATTUNE_UNIT(s.queryUnit(cpu)), numberText, nullptr},
    {"kv_tile", ATTUNE_NUMBER(kvTile), ATTUNE_VALUES(32, 48, 64, 96, 128, 192, 256, 384, 512, 1024),
     ATTUNE_UNIT(s.keyPanel(cpu)), numberText, nullptr},
    {"few_rows", ATTUNE_NUMBER(fewRows), ATTUNE_VALUES(0, 4, 8, 16), nullptr, numberText,
     hasFewRows},
    {"split_keys", ATTUNE_NUMBER(splitKeys), ATTUNE_VALUES(256, 512, 1024, 2048),
     ATTUNE_UNIT(s.kvTile), numberText, hasFewRows},
    {"pack_value", [](const CpuSchedule &s) { return int64_t(s.packValue); },
     [](CpuSchedule &s, int64_t value) { s.packValue = PackValue(value); }, packValues, nullptr,
     packText, nullptr},
    {"projection_rows", ATTUNE_NUMBER(projectionRows),
     ATTUNE_VALUES(24, 36, 48, 64, 96, 128, 192, 256, 512), ATTUNE_UNIT(s.projectionUnit(cpu)),
     numberText, hasProjections},
    {"projection_depth", ATTUNE_NUMBER(projectionDepth),
     ATTUNE_VALUES(128, 192, 256, 384, 512, 768, 1024, 2048, 4096), nullptr, numberText,
     hasProjections},
    {"weight_panel", ATTUNE_NUMBER(weightPanel), ATTUNE_VALUES(16, 24, 32, 48, 64, 72, 96, 128),
     ATTUNE_UNIT(s.projectionColumns(cpu)), numberText, hasProjections},
    {"exp2_degree", ATTUNE_NUMBER(exp2Degree), exp2Degrees, nullptr, degreeText, nullptr},
    {"grain", ATTUNE_NUMBER(grain), ATTUNE_VALUES(1, 2, 4, 8), nullptr, numberText, hasThreads},
    {"heads_per_worker", ATTUNE_NUMBER(headsPerWorker), ATTUNE_VALUES(0, 2, 4, 8, 16, 65536),
     nullptr, numberText, hasThreads},
};

#undef ATTUNE_NUMBER
#undef ATTUNE_BLOCK
#undef ATTUNE_VALUES
#undef ATTUNE_UNIT

} // namespace

std::span<const Knob> knobs() { return table; }

bool parseKnobValue(const Knob &knob, const ScheduleProblem &problem, const CpuTraits &cpu,
                    const std::string &text, int64_t &value) {
  for (int64_t known : knob.values(problem, cpu))
    if (knob.text(known) == text) {
      value = known;
      return true;
    }
  if (knob.text != numberText)
    return false;
  int parsed = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc() || end != text.data() + text.size())
    return false;
  value = parsed;
  return true;
}

void roundToUnits(CpuSchedule &schedule, const CpuTraits &cpu) {
  for (const Knob &knob : table) {
    if (!knob.unit)
      continue;
    const int64_t unit = knob.unit(schedule, cpu);
    const int64_t multiples = (knob.get(schedule) + unit / 2) / unit;
    knob.set(schedule, std::max<int64_t>(multiples, 1) * unit);
  }
}

} // namespace attune
