//===- RecordTarget.cpp - Promises of the schedule database ---------------===//
#include "Targets.h"
#include "schedules/database/DatabaseLine.h"

namespace attune::fuzz {
namespace {

std::string acceptanceProblem(const ScheduleRecord &record) {
  const std::string text = toJson(record);
  ScheduleRecord again;
  std::string error;
  if (!parseRecord(text, again, error))
    return "its own JSON form is refused: " + error + "\n" + text;
  if (std::string twice = toJson(again); twice != text)
    return "its JSON form turns into another:\n" + text + twice;
  std::string line = lineOf(record);
  if (line.find('\n') != line.size() - 1)
    return "it takes more than one line: " + line;
  line.pop_back();
  if (readLine(line, /*onlyBest=*/false, again, error) != LineContent::Record)
    return "its own line is refused: " + error;
  const bool isBest = record.kind == RecordKind::Best;
  if ((readLine(line, /*onlyBest=*/true, again, error) == LineContent::Record) != isBest)
    return "it is not what its kind says";
  return "";
}

} // namespace

Verdict checkRecordText(std::string_view input) {
  ScheduleRecord record;
  std::string error;
  if (readLine(input, /*onlyBest=*/false, record, error) == LineContent::Damaged)
    if (std::string problem = messageProblem(error); !problem.empty())
      return {false, problem};
  record = {};
  if (parseRecord(std::string(input), record, error))
    return {true, acceptanceProblem(record)};
  if (toJson(record) != toJson(ScheduleRecord()))
    return {false, "a refused text changed the record"};
  return {false, messageProblem(error)};
}

} // namespace attune::fuzz
