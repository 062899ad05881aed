//===- ScheduleTarget.cpp - Promises of parseSchedule ---------------------===//
#include "Targets.h"
#include "schedules/CpuSchedule.h"

namespace attune::fuzz {
namespace {

const std::string fileName = "input.json";

struct Use {
  ScheduleProblem problem;
  CpuTraits cpu;
};

/// Narrow and wide processors, small and large problems.
const Use uses[] = {{{true, 64, 16}, {4, 16, 32 << 10, 256 << 10}},
                    {{false, 0, 1024}, {16, 32, 48 << 10, 2 << 20}},
                    {{true, 1 << 20, 1 << 20}, {8, 16, 32 << 10, 1 << 20}}};

std::string refusalProblem(const std::string &message, const CpuSchedule &schedule) {
  if (!message.starts_with(fileName + ": "))
    return "a message that does not begin with its file: " + message;
  if (toJson(schedule) != toJson(CpuSchedule()))
    return "a refused text changed the schedule";
  return messageProblem(message);
}

std::string acceptanceProblem(const CpuSchedule &schedule) {
  const std::string text = toJson(schedule);
  CpuSchedule again;
  std::string error;
  if (!parseSchedule(text, fileName, again, error))
    return "its own JSON form is refused: " + error + "\n" + text;
  if (std::string twice = toJson(again); twice != text)
    return "its JSON form turns into another:\n" + text + twice;
  for (const Use &use : uses)
    if (std::string verdict = checkSchedule(schedule, use.problem, use.cpu); !verdict.empty())
      if (std::string problem = messageProblem(verdict); !problem.empty())
        return problem;
  return "";
}

} // namespace

Verdict checkScheduleText(std::string_view input) {
  const std::string text(input);
  CpuSchedule schedule, other;
  std::string error;
  if (!parseSchedule(text, fileName, schedule, error))
    return {false, refusalProblem(error, schedule)};
  for (char rest : {'}', '\0'})
    if (parseSchedule(text + rest, fileName, other, error))
      return {true, "text after the end of the schedule is accepted"};
  return {true, acceptanceProblem(schedule)};
}

} // namespace attune::fuzz
