//===- CpuScheduleJsonTest.cpp - The JSON form of a schedule --------------===//
#include "schedules/CpuSchedule.h"
#include <gtest/gtest.h>

using namespace attune;

namespace {

CpuSchedule sample() {
  CpuSchedule schedule =
      defaultSchedule({false, 0, 80}, {.vectorLanes = 16, .vectorRegisters = 32});
  schedule.exp2Degree = 4;
  schedule.grain = 3;
  schedule.provenance = {"tuned.json", "a \"quoted\" machine", "2025-01-31", "1 GFLOP/s"};
  return schedule;
}

std::string readError(const std::string &text) {
  CpuSchedule schedule;
  std::string error;
  EXPECT_FALSE(parseSchedule(text, "s.json", schedule, error)) << text;
  return error;
}

/// The sample's text with one part replaced.
std::string changed(const std::string &from, const std::string &to) {
  std::string text = toJson(sample());
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ScheduleJson, RoundTrip) {
  for (PackValue packValue : {PackValue::AsIs, PackValue::PerHead}) {
    CpuSchedule schedule = sample(), read;
    schedule.packValue = packValue;
    std::string error;
    ASSERT_TRUE(parseSchedule(toJson(schedule), "tuned.json", read, error)) << error;
    EXPECT_EQ(toJson(read), toJson(schedule));
    EXPECT_EQ(read.packValue, packValue);
    EXPECT_EQ(read.provenance.machine, schedule.provenance.machine);
  }
}

TEST(ScheduleJson, SourceIsTheFile) {
  CpuSchedule read;
  std::string error;
  ASSERT_TRUE(parseSchedule(toJson(CpuSchedule()), "a/b.json", read, error)) << error;
  EXPECT_EQ(read.provenance.source, "a/b.json");
}

TEST(ScheduleJson, IsStrict) {
  const std::pair<std::string, std::string> table[] = {
      {changed("\"grain\": 3", "\"grain\": 3.0"), "s.json: grain: found 3.0, expected an integer"},
      {changed("\"grain\": 3", "\"grain\": 4294967296"),
       "s.json: grain: found 4294967296, expected an integer"},
      {changed("\"grain\": 3", "\"grain\": 18446744073709551615"),
       "s.json: grain: found 18446744073709551615, expected an integer"},
      {changed("\"grain\": 3", "\"grains\": 3"), "s.json: grains: unknown key"},
      {changed("\"grain\": 3,", ""), "s.json: grain: missing; expected an integer"},
      {changed("\"grain\": 3", "\"grain\": 3, \"grain\": 3"), "s.json: grain: duplicate key"},
      {changed("\"as_is\"", "\"per_tile\""),
       "s.json: pack_value: found \"per_tile\", expected \"as_is\" or \"per_head\""},
      {changed("\"rows\": 6,", "\"rows\": 6, \"rows\": 7,"), "s.json: rows: duplicate key"},
      {changed("\"rows\": 6,", "\"columns\": 6,"), "s.json: scores.columns: unknown key"},
      {changed("\"rows\": 6,", ""), "s.json: scores.rows: missing; expected an integer"},
      {changed("\"rows\": 6", "\"rows\": true"),
       "s.json: scores.rows: found true, expected an integer"},
      {changed("\"2025-01-31\"", "20250131"),
       "s.json: provenance.date: found 20250131, expected a string"},
      {"[]", "s.json: expected a JSON object"},
      {"{\"scores\": 5}", "s.json: scores: found 5, expected an object"},
      {std::string(30000, '['), "s.json: nested more than 8 deep"},
      {std::string(70000, ' '), "s.json: larger than 65536 bytes"},
  };
  for (const auto &[text, message] : table)
    EXPECT_EQ(readError(text), message);
}

TEST(ScheduleJson, BytesThatAreNoUtf8AreNotRepeated) {
  const std::string error = readError("{\"\xff\": 1}");
  EXPECT_EQ(error.find('\xff'), std::string::npos) << error;
  EXPECT_NE(error.find("\xef\xbf\xbd"), std::string::npos) << error;
}

TEST(ScheduleJson, EveryTruncationIsAnError) {
  std::string text = toJson(sample());
  text.pop_back(); // the line end
  for (size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(readError(text.substr(0, length)).empty());
}

TEST(ScheduleJson, FailureLeavesTheScheduleAlone) {
  CpuSchedule schedule = sample();
  std::string error;
  EXPECT_FALSE(parseSchedule(changed("\"grain\": 3", "\"grain\": null"), "s", schedule, error));
  EXPECT_EQ(toJson(schedule), toJson(sample()));
}

} // namespace
