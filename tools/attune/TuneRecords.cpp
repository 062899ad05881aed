//===- TuneRecords.cpp - Searches in the database -------------------------===//
#include "TuneRecords.h"

#include "pipeline/ScheduleChoice.h"
#include "llvm/Support/Chrono.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/TargetParser/Host.h"
#include <chrono>
#include <set>

using namespace llvm;

namespace attune::tool {

namespace {
/// The key under which the compiler looks for what is found.
ScheduleKey keyOf(const TuningProblem &problem) {
  const CallSizes &sizes = problem.sizes;
  ScheduleKey key =
      scheduleKey(problem.config, problem.target, {sizes.batch, sizes.target, sizes.source});
  key.microarchitecture = sys::getHostCPUName().str();
  return key;
}

/// The configuration but for its name, the sizes, the threads.
std::string workloadOf(const TuningProblem &problem) {
  Config unnamed = problem.config;
  unnamed.name = "attention";
  std::string text;
  raw_string_ostream(text) << cantFail(json::parse(toJson(unnamed)));
  return formatv("{0} N={1} L={2} S={3} threads={4}", text, problem.sizes.batch,
                 problem.sizes.target, problem.sizes.source, problem.threads);
}

std::string now() {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return formatv("{0:%Y-%m-%dT%H:%M:%SZ}", sys::toUtcTime(seconds));
}

Figures figuresOf(const ComparedTimes &times, double noise) {
  return {times.bestMs, times.medianMs, noise, times.runs};
}

/// Of a trial: how far its slowest call is from its fastest.
Figures figuresOf(const std::vector<double> &times) {
  const auto [least, most] = std::minmax_element(times.begin(), times.end());
  return {*least, medianOf(times), *most / *least - 1, int(times.size())};
}
} // namespace

TuneRecords::TuneRecords(const ScheduleDatabase &database, const TuningProblem &problem)
    : database(database), problem(problem), key(keyOf(problem)), workload(workloadOf(problem)) {}

Expected<std::vector<std::pair<CpuSchedule, Measurement>>> TuneRecords::known() const {
  std::vector<ScheduleRecord> records;
  std::string error;
  if (!database.load(records, error))
    return createStringError("%s", error.c_str());
  std::vector<std::pair<CpuSchedule, Measurement>> result;
  std::set<std::string> seen; // searches at the same time may try the same
  for (const ScheduleRecord &record : records) {
    if (record.kind != RecordKind::Candidate || record.key != key || record.workload != workload ||
        record.version != ATTUNE_VERSION || !seen.insert(knobsText(record.schedule)).second)
      continue;
    Measurement measurement{record.status, {}, record.detail};
    if (record.figures)
      measurement.milliseconds = {record.figures->bestMs};
    result.push_back({record.schedule, std::move(measurement)});
  }
  return result;
}

ScheduleRecord TuneRecords::newRecord(const CpuSchedule &schedule) const {
  ScheduleRecord record;
  record.key = key;
  record.workload = workload;
  record.schedule = schedule;
  record.threads = problem.threads;
  record.version = ATTUNE_VERSION;
  record.date = now();
  record.machine = key.microarchitecture;
  return record;
}

Error TuneRecords::append(const ScheduleRecord &record) const {
  std::string error;
  if (database.path().empty() || database.append(record, error))
    return Error::success();
  return createStringError("%s", error.c_str());
}

Error TuneRecords::add(const Trial &trial) const {
  ScheduleRecord record = newRecord(trial.schedule);
  record.status = trial.measurement.status;
  record.detail = trial.measurement.detail;
  if (trial.isOk())
    record.figures = figuresOf(trial.measurement.milliseconds);
  return append(record);
}

Expected<bool> TuneRecords::hasBest() const {
  std::vector<ScheduleRecord> records;
  std::string error;
  if (!database.loadBest(records, error))
    return createStringError("%s", error.c_str());
  return any_of(records, [&](const ScheduleRecord &record) { return record.key == key; });
}

Error TuneRecords::addBest(const TuningResult &result) const {
  if (!result.isFaster) {
    Expected<bool> isKnown = hasBest();
    if (!isKnown)
      return isKnown.takeError();
    if (*isKnown)
      return Error::success();
  }
  ScheduleRecord record = newRecord(result.best);
  record.kind = RecordKind::Best;
  record.figures = figuresOf(result.bestTimes, result.noise);
  record.defaultFigures = figuresOf(result.defaultTimes, result.noise);
  return append(record);
}

} // namespace attune::tool
