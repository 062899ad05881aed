//===- SampleRecords.h - Records and files of tests -------------*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_SCHEDULES_SAMPLERECORDS_H
#define ATTUNE_TESTS_UNIT_SCHEDULES_SAMPLERECORDS_H

#include "schedules/database/ScheduleDatabase.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

namespace attune::test {

inline const CpuTraits sampleCpu = {8, 16, 32 << 10, 512 << 10};
inline const ScheduleProblem sampleProblem = {true, 512, 64};

/// A winner for eight heads of 64 under x86-64-v3; `workload` tells records apart.
inline ScheduleRecord bestRecord(const std::string &workload = "w") {
  ScheduleRecord record;
  record.kind = RecordKind::Best;
  record.key = {"multihead_attention", "float32", 64, {8, 512, 512, 512, true, false, false},
                "x86-64-v3",           "znver3",  8,  16};
  record.workload = workload;
  record.schedule = defaultSchedule(sampleProblem, sampleCpu);
  record.figures = Figures{1.5, 1.625, 0.01, 40};
  record.defaultFigures = Figures{2.0, 2.25, 0.0125, 30};
  record.threads = 2;
  record.version = "0.1.0";
  record.date = "2026-01-31";
  record.machine = "a CPU, \"quoted\" \xc3\xbc";
  return record;
}

inline ScheduleRecord candidateRecord(const std::string &workload = "w") {
  ScheduleRecord record = bestRecord(workload);
  record.kind = RecordKind::Candidate;
  record.defaultFigures = std::nullopt;
  return record;
}

/// Records as text, for comparisons: all that is stored.
inline std::vector<std::string> texts(const std::vector<ScheduleRecord> &records) {
  std::vector<std::string> result;
  for (const ScheduleRecord &record : records)
    result.push_back(toJson(record));
  return result;
}

/// A folder of its own for each test, which goes with it.
class DatabaseTest : public ::testing::Test {
protected:
  DatabaseTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "attune-database-XXXXXX";
    folder = mkdtemp(pattern.data());
    path = folder + "/sub/schedules.jsonl";
  }
  ~DatabaseTest() override { std::filesystem::remove_all(folder); }

  std::vector<ScheduleRecord> load() {
    std::vector<ScheduleRecord> records;
    std::string error;
    EXPECT_TRUE(database().load(records, error)) << error;
    return records;
  }
  void append(const ScheduleRecord &record) {
    std::string error;
    EXPECT_TRUE(database().append(record, error)) << error;
  }
  ScheduleDatabase database() {
    return ScheduleDatabase(path, [this](const std::string &text) { warnings.push_back(text); });
  }
  std::string content() const {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void write(const std::string &text) const {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }

  std::string folder, path;
  std::vector<std::string> warnings;
};

} // namespace attune::test

#endif
