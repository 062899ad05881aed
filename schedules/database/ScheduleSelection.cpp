//===- ScheduleSelection.cpp - The stored schedule of a problem -----------===//
#include "schedules/database/ScheduleSelection.h"
#include <algorithm>
#include <tuple>

namespace attune {
namespace {

bool isSameButForHeads(ShapeClass shape, const ShapeClass &wanted) {
  shape.heads = wanted.heads;
  return shape == wanted;
}

bool isFor(const ScheduleKey &key, const ScheduleRequest &request) {
  const ScheduleKey &wanted = request.key;
  auto exact = [](const ScheduleKey &k) {
    return std::tie(k.op, k.dtype, k.headDim, k.target, k.vectorLanes, k.vectorRegisters);
  };
  return exact(key) == exact(wanted) &&
         (!request.onlySameClass || isSameButForHeads(key.shape, wanted.shape));
}

std::string sizeText(int64_t size) { return size > 0 ? std::to_string(size) : "open"; }

} // namespace

ScheduleSelection selectSchedule(const std::vector<ScheduleRecord> &records,
                                 const ScheduleRequest &request) {
  struct Candidate {
    bool isElsewhere;
    int64_t distance;
    std::ptrdiff_t age;
    auto operator<=>(const Candidate &) const = default;
  };
  std::vector<Candidate> candidates;
  for (const ScheduleRecord &record : records)
    if (record.kind == RecordKind::Best && isFor(record.key, request))
      candidates.push_back({record.key.microarchitecture != request.key.microarchitecture,
                            distance(record.key.shape, request.key.shape),
                            records.data() + records.size() - &record});
  std::sort(candidates.begin(), candidates.end());
  ScheduleSelection selection;
  selection.matching = static_cast<int>(candidates.size());
  for (const Candidate &candidate : candidates) {
    const ScheduleRecord &record = records[records.size() - static_cast<size_t>(candidate.age)];
    std::string wrong = checkSchedule(record.schedule, request.problem, request.cpu);
    if (wrong.empty()) {
      selection.record = record;
      selection.distance = candidate.distance;
      break;
    }
    if (selection.illegal.empty())
      selection.illegal = std::move(wrong);
  }
  return selection;
}

const std::vector<ScheduleRecord> &shippedRecords() {
  static const std::vector<ScheduleRecord> records = [] {
    std::vector<ScheduleRecord> read;
    for (const ShippedFile &file : shippedFiles()) {
      ScheduleRecord record;
      std::string error; // a test reads every file
      if (parseRecord(file.text, record, error))
        read.push_back(std::move(record));
    }
    return read;
  }();
  return records;
}

std::string describe(const ShapeClass &shape) {
  std::string text = sizeText(shape.heads) + " heads, L " + sizeText(shape.targetLength) + ", S " +
                     sizeText(shape.sourceLength);
  if (shape.embedDim > 0)
    text += ", embed_dim " + std::to_string(shape.embedDim);
  const std::pair<bool, const char *> facts[] = {{shape.isCausal, ", causal"},
                                                 {shape.isMasked, ", masked"},
                                                 {shape.needsWeights, ", weights"}};
  for (auto [holds, name] : facts)
    if (holds)
      text += name;
  return text;
}

} // namespace attune
