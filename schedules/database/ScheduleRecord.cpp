//===- ScheduleRecord.cpp - What is known of a measured schedule ----------===//
#include "schedules/database/ScheduleRecord.h"
#include "schedules/StrictJson.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace attune {
namespace {

/// Counts changes of the form; records of another one are foreign.
constexpr int recordFormat = 1;
constexpr int64_t largestSize = int64_t(1) << 50;
constexpr size_t longestText = 4096;

const char *const recordKinds[] = {"candidate", "best"};
const char *const statuses[] = {"ok", "wrong", "refused", "crash", "hang"};

std::vector<JsonField> fieldsOf(Figures &f) {
  return {{"", "best_ms", &f.bestMs},
          {"", "median_ms", &f.medianMs},
          {"", "noise", &f.noise},
          {"", "runs", &f.runs}};
}

/// All but the schedule and the figures, which are objects of their own.
std::vector<JsonField> fieldsOf(ScheduleRecord &r, int &format) {
  return {{"", "format", &format},
          {"", "kind", jsonChoice(r.kind, recordKinds)},
          {"", "op", &r.key.op},
          {"", "dtype", &r.key.dtype},
          {"", "head_dim", &r.key.headDim},
          {"shape", "heads", &r.key.shape.heads},
          {"shape", "target_length", &r.key.shape.targetLength},
          {"shape", "source_length", &r.key.shape.sourceLength},
          {"shape", "embed_dim", &r.key.shape.embedDim},
          {"shape", "causal", &r.key.shape.isCausal},
          {"shape", "masked", &r.key.shape.isMasked},
          {"shape", "weights", &r.key.shape.needsWeights},
          {"", "target", &r.key.target},
          {"", "microarchitecture", &r.key.microarchitecture},
          {"", "vector_lanes", &r.key.vectorLanes},
          {"", "vector_registers", &r.key.vectorRegisters},
          {"", "workload", &r.workload},
          {"", "status", jsonChoice(r.status, statuses)},
          {"", "detail", &r.detail},
          {"", "threads", &r.threads},
          {"", "version", &r.version},
          {"", "date", &r.date},
          {"", "machine", &r.machine}};
}

Json toJson(const std::optional<Figures> &figures) {
  if (!figures)
    return nullptr;
  Figures copy = *figures;
  return writeFields(fieldsOf(copy));
}

Json knobs(const CpuSchedule &schedule) {
  Json json = Json::parse(toJson(schedule));
  json.erase("provenance");
  return json;
}

/// Takes a key out of an object.
Json take(Json &object, const char *name) {
  if (!object.is_object() || !object.contains(name))
    throw Refusal(std::string(name) + ": missing");
  Json value = object[name];
  object.erase(name);
  return value;
}

std::optional<Figures> readFigures(const Json &json, const char *name) {
  if (json.is_null())
    return std::nullopt;
  Figures figures;
  readFields(json, name, fieldsOf(figures));
  const bool makesSense = figures.bestMs > 0 && figures.medianMs >= figures.bestMs &&
                          figures.noise >= 0 && figures.runs >= 1;
  if (!makesSense)
    throw Refusal(std::string(name) + ": found " + textOf(json, -1) +
                  ", expected 0 < best_ms <= median_ms, noise >= 0, runs >= 1");
  return figures;
}

std::string inMilliseconds(const char *format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

CpuSchedule readSchedule(Json json, const ScheduleRecord &record) {
  if (!json.is_object() || json.contains("provenance"))
    throw Refusal("schedule: expected an object without provenance");
  std::string measured;
  if (record.figures)
    measured = inMilliseconds("best %.4g ms", record.figures->bestMs);
  if (record.defaultFigures)
    measured += inMilliseconds(", default schedule %.4g ms", record.defaultFigures->bestMs);
  json["provenance"] = {
      {"source", ""}, {"machine", record.machine}, {"date", record.date}, {"measured", measured}};
  CpuSchedule schedule;
  std::string error;
  if (!parseSchedule(textOf(json, -1), "schedule", schedule, error))
    throw Refusal(error);
  schedule.provenance.source.clear();
  return schedule;
}

void require(bool condition, const std::string &what) {
  if (!condition)
    throw Refusal(what);
}

/// C0 and C1 controls, which terminals obey.
bool hasControls(const std::string &text) {
  unsigned char last = 0;
  for (unsigned char c : text) {
    if (c < 0x20 || c == 0x7f || (last == 0xc2 && c >= 0x80 && c < 0xa0))
      return true;
    last = c;
  }
  return false;
}

void checkShape(const ShapeClass &shape) {
  const std::pair<const char *, int64_t> sizes[] = {{"heads", shape.heads},
                                                    {"target_length", shape.targetLength},
                                                    {"source_length", shape.sourceLength},
                                                    {"embed_dim", shape.embedDim}};
  for (const auto &[name, size] : sizes)
    require(size >= 0 && size <= largestSize && size == roundedSize(size),
            "shape." + std::string(name) + ": found " + std::to_string(size) +
                ", expected a power of two or 0");
}

void checkRecord(const ScheduleRecord &record) {
  const ScheduleKey &key = record.key;
  require(key.headDim >= 1 && key.headDim <= largestSize, "head_dim: expected a positive number");
  checkShape(key.shape);
  require(key.vectorLanes >= 1 && key.vectorRegisters >= 1,
          "vector_lanes, vector_registers: expected positive numbers");
  require(record.threads >= 1, "threads: expected a positive number");
  for (const std::string *text :
       {&key.op, &key.dtype, &key.target, &key.microarchitecture, &record.workload, &record.detail,
        &record.version, &record.date, &record.machine}) {
    require(text->size() <= longestText,
            "found a text of more than " + std::to_string(longestText) + " bytes");
    require(!hasControls(*text), "found a text with control characters");
  }
  const bool isOk = record.status == CandidateStatus::Ok;
  require(isOk == record.figures.has_value(),
          "figures: expected with status \"ok\", else null; status is \"" +
              std::string(statuses[static_cast<size_t>(record.status)]) + "\"");
  require(record.kind != RecordKind::Best || (isOk && record.defaultFigures),
          "default_figures: expected with kind \"best\"");
}

Json recordJson(const ScheduleRecord &record) {
  ScheduleRecord copy = record;
  for (std::string *text : {&copy.detail, &copy.machine})
    std::replace_if(
        text->begin(), text->end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  int format = recordFormat;
  Json json = writeFields(fieldsOf(copy, format));
  json["figures"] = toJson(record.figures);
  json["default_figures"] = toJson(record.defaultFigures);
  json["schedule"] = knobs(record.schedule);
  return json;
}

ScheduleRecord fromJson(Json json) {
  // First, since another format may have any other keys.
  if (json.is_object() && json.contains("format") && json["format"] != recordFormat)
    throw Refusal("format: found " + textOf(json["format"], -1).substr(0, 80) + ", expected " +
                  std::to_string(recordFormat));
  ScheduleRecord record;
  const Json figures = take(json, "figures"), defaultFigures = take(json, "default_figures");
  Json schedule = take(json, "schedule");
  int format = 0;
  readFields(json, "", fieldsOf(record, format));
  record.figures = readFigures(figures, "figures");
  record.defaultFigures = readFigures(defaultFigures, "default_figures");
  checkRecord(record);
  record.schedule = readSchedule(std::move(schedule), record);
  return record;
}

/// Doublings between two sizes; an open one counts as `typical`.
int64_t doublings(int64_t a, int64_t b, int64_t typical) {
  auto exponent = [typical](int64_t size) -> int64_t {
    return std::bit_width(static_cast<uint64_t>(size > 0 ? size : typical));
  };
  return std::abs(exponent(a) - exponent(b));
}

} // namespace

int64_t roundedSize(int64_t size) {
  if (size <= 0)
    return 0;
  const int64_t lower = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(size)));
  return static_cast<double>(size) * static_cast<double>(size) >= 2.0 * lower * lower ? 2 * lower
                                                                                      : lower;
}

int64_t distance(const ShapeClass &a, const ShapeClass &b) {
  constexpr int64_t typicalHeads = 16, typicalLength = 512;
  return doublings(a.heads, b.heads, typicalHeads) +
         2 * doublings(a.targetLength, b.targetLength, typicalLength) +
         2 * doublings(a.sourceLength, b.sourceLength, typicalLength) +
         2 * doublings(a.embedDim, b.embedDim, typicalLength) + 2 * (a.isCausal != b.isCausal) +
         2 * (a.isMasked != b.isMasked) + 8 * (a.needsWeights != b.needsWeights);
}

std::string knobsText(const CpuSchedule &schedule) { return textOf(knobs(schedule), -1); }

std::string toJson(const ScheduleRecord &record, int indent) {
  return textOf(recordJson(record), indent);
}

bool parseRecord(const std::string &text, ScheduleRecord &record, std::string &error) {
  try {
    record = fromJson(parseStrictly(text));
    return true;
  } catch (const std::bad_alloc &) {
    throw;
  } catch (const std::exception &exception) {
    error = printable(exception.what());
    return false;
  }
}

} // namespace attune
