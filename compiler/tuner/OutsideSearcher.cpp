//===- OutsideSearcher.cpp - A search by another program ------------------===//
#include "tuner/OutsideSearcher.h"

#include "tuner/ShellProcess.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune {

const char *statusName(CandidateStatus status) {
  static const char *const names[] = {"ok", "wrong", "refused", "crash", "hang"};
  return names[static_cast<int>(status)];
}

namespace {
std::string lineOf(json::Object object) {
  std::string text;
  raw_string_ostream(text) << json::Value(std::move(object));
  return text + "\n";
}

/// Numbers as numbers, all else as text.
json::Value valueOf(const Knob &knob, int64_t value) {
  std::string text = knob.text(value);
  if (text == std::to_string(value))
    return value;
  return text;
}

Expected<CpuSchedule> fromKnobs(const SearchSpace &space, const json::Object &values) {
  CpuSchedule schedule = space.defaultSchedule();
  for (const auto &[name, value] : values) {
    const Knob *known = nullptr;
    for (const Knob &knob : knobs())
      if (name.str() == knob.name)
        known = &knob;
    if (!known)
      return createStringError("knob '%s' is not known", name.str().c_str());
    std::string text;
    if (auto string = value.getAsString())
      text = string->str();
    else if (auto number = value.getAsInteger())
      text = std::to_string(*number);
    int64_t parsed = 0;
    if (!parseKnobValue(*known, space.problem, space.cpu, text, parsed) || parsed < 0 ||
        parsed > 1 << 20)
      return createStringError("knob '%s' cannot have the value '%s'", known->name, text.c_str());
    known->set(schedule, parsed);
  }
  roundToUnits(schedule, space.cpu);
  return schedule;
}

/// The answer to one request; none if the search is over.
Expected<std::optional<std::string>> answer(const SearchSpace &space, Search &search,
                                            const std::string &line) {
  Expected<json::Value> request = json::parse(line);
  if (!request)
    return createStringError("no JSON: %s", toString(request.takeError()).c_str());
  const json::Object *object = request->getAsObject();
  const json::Object *values = object ? object->getObject("knobs") : nullptr;
  if (!values)
    return createStringError("expected an object with \"knobs\"");
  json::Object result{{"type", "result"}};
  if (const json::Value *id = object->get("id"))
    result["id"] = *id;
  Expected<CpuSchedule> schedule = fromKnobs(space, *values);
  std::string illegal = schedule ? checkSchedule(*schedule, space.problem, space.cpu)
                                 : toString(schedule.takeError());
  if (!illegal.empty()) {
    result["status"] = "illegal";
    result["detail"] = illegal;
    return lineOf(std::move(result));
  }
  const Trial *trial = search.tryNow(*schedule);
  if (!trial)
    return std::nullopt;
  result["status"] = statusName(trial->measurement.status);
  if (trial->isOk())
    result["ms"] = trial->bestMs();
  else
    result["detail"] = trial->measurement.detail;
  return lineOf(std::move(result));
}
} // namespace

std::string describeSpace(const SearchSpace &space, uint64_t seed) {
  json::Array list;
  for (const SearchSpace::Axis &axis : space.axes()) {
    json::Array values;
    for (int64_t value : axis.values)
      values.push_back(valueOf(*axis.knob, value));
    list.push_back(
        json::Object{{"name", axis.knob->name},
                     {"values", std::move(values)},
                     {"default", valueOf(*axis.knob, axis.knob->get(space.defaultSchedule()))}});
  }
  return lineOf(json::Object{{"type", "space"}, {"seed", seed}, {"knobs", std::move(list)}});
}

Expected<CpuSchedule> requestedSchedule(const SearchSpace &space, const std::string &text) {
  Expected<json::Value> values = json::parse(text);
  if (!values)
    return values.takeError();
  if (!values->getAsObject())
    return createStringError("expected an object");
  return fromKnobs(space, *values->getAsObject());
}

Error runOutsideSearcher(const std::string &command, const SearchSpace &space, Search &search,
                         uint64_t seed) {
  ShellProcess process(command);
  if (!process.isRunning())
    return createStringError("the searcher cannot be started");
  process.write(describeSpace(space, seed));
  auto isOver = [&] { return search.isOver(); };
  int number = 0;
  while (std::optional<std::string> line = process.readLine(isOver)) {
    ++number;
    auto reply = answer(space, search, *line);
    if (!reply)
      return createStringError("line %d of the searcher: %s", number,
                               toString(reply.takeError()).c_str());
    if (!*reply)
      break;
    process.write(**reply);
  }
  if (search.isOver()) {
    process.write(lineOf(json::Object{{"type", "end"}}));
    process.finish();
    return Error::success();
  }
  const int status = process.finish();
  if (status == 0)
    return Error::success();
  return createStringError("the searcher ended with status %d", status);
}

} // namespace attune
