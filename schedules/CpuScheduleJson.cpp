//===- CpuScheduleJson.cpp - The JSON form of a schedule ------------------===//
//
// One table of fields serves reading and writing.
//
//===----------------------------------------------------------------------===//
#include "schedules/CpuSchedule.h"
#include "schedules/StrictJson.h"

namespace attune {
namespace {

const char *const packValues[] = {"as_is", "per_head"}; // in the order of PackValue

std::vector<JsonField> fieldsOf(CpuSchedule &s) {
  return {{"", "query_tile", &s.queryTile},
          {"", "kv_tile", &s.kvTile},
          {"scores", "rows", &s.scores.rows},
          {"scores", "vectors", &s.scores.vectors},
          {"values", "rows", &s.values.rows},
          {"values", "vectors", &s.values.vectors},
          {"", "pack_value", jsonChoice(s.packValue, packValues)},
          {"projection", "rows", &s.projection.rows},
          {"projection", "vectors", &s.projection.vectors},
          {"", "projection_rows", &s.projectionRows},
          {"", "projection_depth", &s.projectionDepth},
          {"", "weight_panel", &s.weightPanel},
          {"", "exp2_degree", &s.exp2Degree},
          {"", "grain", &s.grain},
          {"", "heads_per_worker", &s.headsPerWorker},
          {"", "few_rows", &s.fewRows},
          {"", "split_keys", &s.splitKeys},
          {"provenance", "source", &s.provenance.source},
          {"provenance", "machine", &s.provenance.machine},
          {"provenance", "date", &s.provenance.date},
          {"provenance", "measured", &s.provenance.measured}};
}

} // namespace

std::string toJson(const CpuSchedule &schedule) {
  CpuSchedule copy = schedule;
  return textOf(writeFields(fieldsOf(copy)), 2) + "\n";
}

bool parseSchedule(const std::string &text, const std::string &fileName, CpuSchedule &schedule,
                   std::string &error) {
  try {
    CpuSchedule read;
    readFields(parseStrictly(text), "", fieldsOf(read));
    read.provenance.source = fileName;
    schedule = read;
    return true;
  } catch (const std::exception &exception) {
    error = fileName + ": " + printable(exception.what());
    return false;
  }
}

} // namespace attune
