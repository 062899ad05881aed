//===- ScheduleChoice.cpp - Which schedule a configuration gets -----------===//
#include "pipeline/ScheduleChoice.h"

#include "frontend/ConfigKeys.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace attune {

ScheduleProblem scheduleProblem(const Config &config) {
  const bool projections = config.op == Op::MultiheadAttention;
  return {projections, projections ? config.module.embedDim : 0, config.module.headDim,
          config.coarsestDtype() != DType::Float32};
}

ScheduleKey scheduleKey(const Config &config, const cpu::TargetInfo &target,
                        const OpenSizes &sizes) {
  const ForwardConfig &forward = config.forward;
  ScheduleKey key;
  key.op = opName(config.op).str();
  // Schedules differ by what is multiplied; what it is converted from matters little.
  const DType dtype = config.dtype == DType::Float16 ? config.dtype : config.productDtype();
  key.dtype = findConfigKey("dtype")->choices[static_cast<size_t>(dtype)].str();
  key.headDim = config.module.headDim;
  const int64_t batch = forward.batched ? forward.batch.value_or(sizes.batch) : 1;
  key.shape.heads = roundedSize(batch * config.module.numHeads);
  key.shape.targetLength = roundedSize(forward.targetLength.value_or(sizes.targetLength));
  key.shape.sourceLength = roundedSize(forward.sourceLength.value_or(sizes.sourceLength));
  key.shape.embedDim = roundedSize(scheduleProblem(config).embedDim);
  key.shape.isCausal = forward.isCausal;
  key.shape.isMasked = forward.attnMask != AttnMask::None ||
                       forward.keyPaddingMask != KeyPaddingMask::None || config.score;
  key.shape.needsWeights = forward.needWeights;
  key.target = target.name == "host" ? target.cpu : target.name;
  key.microarchitecture = target.cpu;
  key.vectorLanes = target.traits.vectorLanes;
  key.vectorRegisters = target.traits.vectorRegisters;
  return key;
}

StoredSchedules::StoredSchedules(const std::string &databasePath,
                                 std::function<void(const std::string &)> warnOf)
    : warn(std::move(warnOf)) {
  Source database{"database", databasePath, {}, /*onlySameClass=*/false};
  std::string error;
  if (!ScheduleDatabase(databasePath, warn).loadBest(database.records, error) && warn)
    warn("the database is not used: " + error);
  sources.push_back(std::move(database));
  // Users measured what they need. What others measured may lose at other lengths.
  sources.push_back({"shipped", "schedules that come with attune", shippedRecords(),
                     /*onlySameClass=*/true});
}

std::shared_ptr<const StoredSchedules>
StoredSchedules::open(const std::string &databasePath,
                      std::function<void(const std::string &)> warn) {
  if (databasePath.empty())
    return nullptr;
  return std::make_shared<StoredSchedules>(databasePath, std::move(warn));
}

ChosenSchedule StoredSchedules::choose(const Config &config, const cpu::TargetInfo &target) const {
  ScheduleRequest request = {scheduleKey(config, target), scheduleProblem(config), target.traits};
  std::string missing;
  for (const Source &source : sources) {
    request.onlySameClass = source.onlySameClass;
    ScheduleSelection found = selectSchedule(source.records, request);
    if (!found.illegal.empty() && warn)
      warn(formatv("{0}: a schedule for {1} is not used: {2}", source.place, request.key.target,
                   found.illegal));
    missing += (missing.empty() ? "" : ", nor among the ") + source.place;
    if (!found.record)
      continue;
    CpuSchedule schedule = std::move(found.record->schedule);
    schedule.provenance.source = source.name;
    const char *nearness = found.distance == 0 ? "measured for this shape class"
                                               : "the nearest shape class that was measured";
    return {std::move(schedule),
            formatv("{0}: {1}; one of {2} in {3}", nearness, describe(found.record->key.shape),
                    found.matching, source.place)};
  }
  return {defaultSchedule(request.problem, target.traits),
          formatv("none was measured for {0}, head_dim {1}, {2}: not in {3}", request.key.op,
                  request.key.headDim, request.key.target, missing)};
}

} // namespace attune
