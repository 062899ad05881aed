//===- TunePhases.cpp - Where the time of tuned calls goes ----------------===//
#include "TunePhases.h"

#include "BenchProfile.h"
#include "tuner/ByteStream.h"
#include "tuner/ChildProcess.h"
#include "llvm/Support/FormatVariadic.h"
#include <chrono>
#include <map>

using namespace llvm;

namespace attune::tool {

namespace {
constexpr double kSeconds = 1;
constexpr int kLeastRuns = 5;
constexpr double kLongestSeconds = 300;

Expected<std::vector<PhaseProfile>> profileHere(const TuningProblem &problem,
                                                const CpuSchedule &schedule) {
  CompileRequest request{problem.config, {problem.target}, {}};
  request.options.schedule = schedule;
  const TuningCall call(problem.config, problem.sizes);
  RandomTensors outputs;
  outputs.add(interfaceOutputs(problem.config), problem.sizes, 0.0f);
  std::vector<attune_tensor> tensors = call.inputs.tensors;
  append_range(tensors, outputs.tensors);
  auto module = ProfiledModule::create(std::move(request), problem.threads, call.parameters.tensors,
                                       problem.sizes);
  if (!module)
    return module.takeError();
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(kSeconds);
  for (int run = 0; run < kLeastRuns || Clock::now() < end; ++run)
    if (Error error = (*module)->run(tensors))
      return std::move(error);
  return (*module)->phases();
}

/// A colour of the page's style for each phase, so that it has the same in both bars.
constexpr const char *kPhaseNames[] = {"projection", "packing", "masks",  "scores", "softmax",
                                       "values",     "finish",  "output", "other",  "waiting"};

double millisecondsOf(const PhaseProfile &phase, int threads) {
  return double(phase.nanoseconds) / 1e6 / threads;
}

double sumOf(ArrayRef<PhaseProfile> phases, int threads) {
  double sum = 0;
  for (const PhaseProfile &phase : phases)
    sum += millisecondsOf(phase, threads);
  return sum;
}

/// Phases side by side; `most` milliseconds are as wide as the page.
std::string bar(StringRef label, ArrayRef<PhaseProfile> phases, int threads, double most) {
  std::string parts;
  for (const PhaseProfile &phase : phases) {
    const double ms = millisecondsOf(phase, threads);
    parts += formatv("<i class='{0}' style='width:{1:f2}%' title='{0}: {2:f3} ms'></i>", phase.name,
                     100 * ms / most, ms);
  }
  return formatv("<div class='phases'><span>{0}</span><div>{1}</div></div>\n", label, parts);
}

using Times = std::map<std::string, double>;

Times timesOf(ArrayRef<PhaseProfile> phases, int threads) {
  Times times;
  for (const PhaseProfile &phase : phases)
    times[phase.name] = millisecondsOf(phase, threads);
  return times;
}

std::string cells(const Times &times, const std::string &phase, double sum) {
  auto found = times.find(phase);
  if (found == times.end())
    return "<td class='n'>-</td><td></td>";
  return formatv("<td class='n'>{0:f3}</td><td class='n'>{1:f1} %</td>", found->second,
                 100 * found->second / sum);
}
} // namespace

Expected<std::vector<PhaseProfile>> profilePhases(const TuningProblem &problem,
                                                  const CpuSchedule &schedule,
                                                  const std::function<bool()> &stop) {
  auto work = [&] {
    ByteWriter writer;
    auto phases = profileHere(problem, schedule);
    writer.add(phases ? std::string() : toString(phases.takeError()));
    writer.add(phases ? phases->size() : 0);
    for (size_t k = 0; phases && k < phases->size(); ++k) {
      writer.add((*phases)[k].name);
      writer.add((*phases)[k].nanoseconds);
    }
    return writer.bytes;
  };
  const ChildResult child = runInChild(work, kLongestSeconds, stop);
  if (child.end != ChildResult::End::Finished)
    return createStringError("the times of phases: %s",
                             child.detail.empty() ? "stopped" : child.detail.c_str());
  ByteReader reader(child.bytes);
  if (std::string error = reader.readText(); !error.empty())
    return createStringError("the times of phases: %s", error.c_str());
  std::vector<PhaseProfile> phases(reader.read<size_t>());
  for (PhaseProfile &phase : phases) {
    phase.name = reader.readText();
    phase.nanoseconds = reader.read<int64_t>();
  }
  return phases;
}

std::string phaseTable(ArrayRef<PhaseProfile> before, ArrayRef<PhaseProfile> after, int threads) {
  const double sumBefore = sumOf(before, threads), sumAfter = sumOf(after, threads);
  const double most = std::max(sumBefore, sumAfter);
  const bool isTuned = !after.empty();
  std::string text = bar("default", before, threads, most);
  if (isTuned)
    text += bar("tuned", after, threads, most);
  const Times timesBefore = timesOf(before, threads), timesAfter = timesOf(after, threads);
  text += "<table><tr><th>phase</th><th>default ms</th><th>share</th>";
  text += isTuned ? "<th>tuned ms</th><th>share</th></tr>\n" : "</tr>\n";
  for (const char *phase : kPhaseNames) {
    if (!timesBefore.count(phase) && !timesAfter.count(phase))
      continue;
    text += formatv("<tr><td><i class='swatch {0}'></i>{0}</td>{1}{2}</tr>\n", phase,
                    cells(timesBefore, phase, sumBefore),
                    isTuned ? cells(timesAfter, phase, sumAfter) : "");
  }
  text += formatv("<tr><td>total</td><td class='n'>{0:f3}</td><td></td>", sumBefore);
  text +=
      isTuned ? formatv("<td class='n'>{0:f3}</td><td></td></tr>\n", sumAfter).str() : "</tr>\n";
  return text + "</table>\n";
}

} // namespace attune::tool
