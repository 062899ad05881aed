//===- CandidateRunner.cpp - Schedules compiled, checked and timed --------===//
#include "tuner/CandidateRunner.h"

#include "package/Session.h"
#include "pipeline/Compiler.h"
#include "pipeline/Reference.h"
#include "tuner/ByteStream.h"
#include "tuner/CallClock.h"
#include "tuner/ChildProcess.h"
#include "tuner/SearchSpace.h"
#include <algorithm>
#include <cmath>
#include <thread>

using namespace llvm;

namespace attune {

namespace {
constexpr double kSecondsPerEffort = 0.12; ///< of timed calls
constexpr int kLeastCalls = 2;             ///< and one for each effort
constexpr double kTooSlow = 1.5; ///< times the fastest; a schedule like that is not timed for long
constexpr size_t kMostProcesses = 8; ///< that compile, some 100 MB each
constexpr int kLeastRounds = 15, kMostRounds = 101;
/// Two schedules differ from each other, and a long call from a short one.
constexpr double kSlackOfFullCall = 4;

double millisecondsOf(int threads, function_ref<void()> work) {
  const double start = callSeconds(threads);
  work();
  return 1e3 * (callSeconds(threads) - start);
}

/// The tensors of a forward call: inputs, then fresh outputs.
struct ForwardTensors {
  ForwardTensors(const Config &config, const TuningCall &call) : all(call.inputs.tensors) {
    for (const InterfaceTensor &spec : interfaceOutputs(config))
      all.push_back(memory.allocate(spec, call.sizes));
  }
  ArrayRef<attune_tensor> outputs(const TuningCall &call) const {
    return ArrayRef(all).drop_front(call.inputs.tensors.size());
  }

  TensorMemory memory;
  std::vector<attune_tensor> all;
};

Expected<std::unique_ptr<Session>> openSession(const TuningProblem &problem, const ObjectCode &code,
                                               const TuningCall &call) {
  auto session = Session::create(code.object, problem.config.name, problem.threads);
  if (!session)
    return session;
  if (Error error = (*session)->pack(call.parameters.tensors))
    return std::move(error);
  return session;
}

void write(ByteWriter &writer, const Measurement &measurement) {
  writer.add(measurement.status);
  writer.add(measurement.milliseconds);
  writer.add(measurement.detail);
}

Measurement readMeasurement(ByteReader &reader) {
  Measurement measurement;
  measurement.status = reader.read<CandidateStatus>();
  measurement.milliseconds = reader.readVector<double>();
  measurement.detail = reader.readText();
  return measurement;
}

/// The measurement of a child that gave no result; none if it was stopped.
std::optional<Measurement> failureOf(const ChildResult &child) {
  if (child.end == ChildResult::End::Stopped)
    return std::nullopt;
  const bool isHang = child.end == ChildResult::End::TimedOut;
  return Measurement{isHang ? CandidateStatus::Hang : CandidateStatus::Crash, {}, child.detail};
}

Error wrong(StringRef what, size_t output, double error, double allowed) {
  return createStringError("output %zu of %s is off by %.3g, allowed is %.3g", output,
                           what.str().c_str(), error, allowed);
}
} // namespace

CandidateRunner::CandidateRunner(const TuningProblem &problem, RunnerOptions options)
    : problem(problem), options(std::move(options)), small(problem.config, checkedSizes(problem)),
      call(problem.config, problem.sizes), fastestMs(this->options.fastestMs) {
  isSmallEnough = small.sizes.batch == call.sizes.batch &&
                  small.sizes.target == call.sizes.target &&
                  small.sizes.source == call.sizes.source;
}

Expected<std::unique_ptr<CandidateRunner>> CandidateRunner::create(const TuningProblem &problem,
                                                                   RunnerOptions options) {
  std::unique_ptr<CandidateRunner> runner(new CandidateRunner(problem, std::move(options)));
  auto reference = computeReference(problem, runner->small, runner->options.stop);
  if (!reference)
    return reference.takeError();
  runner->reference = std::move(*reference);
  return runner;
}

double CandidateRunner::runLimit() const {
  return options.runSeconds > 0 ? options.runSeconds : 60 + 100 * fastestMs / 1e3;
}

/// In the child: the object and the kernels that are new.
std::string CandidateRunner::compileHere(const CpuSchedule &schedule) {
  std::map<std::string, cpu::Kernel> before = kernels.all();
  CompileOptions compileOptions;
  compileOptions.schedule = schedule;
  compileOptions.kernels = &kernels;
  ByteWriter writer;
  Expected<CompiledModule> compiled = compile(problem.config, problem.target, compileOptions);
  writer.add(compiled ? std::string() : toString(compiled.takeError()));
  if (!compiled)
    return writer.bytes;
  writer.add(compiled->packedBytes);
  writer.add(std::string(compiled->object.data(), compiled->object.size()));
  for (const auto &[symbol, kernel] : kernels.all()) {
    if (before.count(symbol))
      continue;
    writer.add(symbol);
    writer.add(kernel.arguments);
    writer.add(kernel.bitcode);
  }
  writer.add(std::string());
  return writer.bytes;
}

/// What a child process made of a schedule; keeps its kernels.
CandidateRunner::Compiled CandidateRunner::readCompiled(const ChildResult &child) {
  Compiled compiled;
  if (child.end != ChildResult::End::Finished) {
    compiled.failure = failureOf(child);
    return compiled;
  }
  ByteReader reader(child.bytes);
  if (std::string error = reader.readText(); !error.empty()) {
    compiled.failure = Measurement{CandidateStatus::Refused, {}, error};
    return compiled;
  }
  compiled.code.packedBytes = reader.read<int64_t>();
  const std::string object = reader.readText();
  compiled.code.object.assign(object.begin(), object.end());
  for (std::string symbol; !(symbol = reader.readText()).empty();) {
    auto arguments = reader.readVector<cpu::KernelArgument>();
    kernels.add({symbol, std::move(arguments), reader.readText()});
  }
  if (reader.failed)
    compiled.failure = Measurement{CandidateStatus::Crash, {}, "its process gave no object"};
  return compiled;
}

void CandidateRunner::compileInChildren(ArrayRef<CpuSchedule> schedules) {
  std::vector<std::function<std::string()>> work;
  for (const CpuSchedule &schedule : schedules)
    work.push_back([&] { return compileHere(schedule); });
  const auto children = runInChildren(work, options.compileSeconds, options.stop);
  for (auto [schedule, child] : zip(schedules, children))
    if (child.end != ChildResult::End::Stopped)
      objects[knobsText(schedule)] = readCompiled(child);
}

/// Compiles a schedule, if it was not, and with it those that are expected next. Null if the search
/// was stopped.
CandidateRunner::Compiled *CandidateRunner::compiledOf(const CpuSchedule &schedule) {
  const std::string identity = knobsText(schedule);
  if (!objects.count(identity)) {
    const size_t processors = std::max(1u, std::thread::hardware_concurrency());
    const size_t most = options.compileProcesses > 0 ? size_t(options.compileProcesses)
                                                     : std::min(processors, kMostProcesses);
    std::map<std::string, CpuSchedule> chosen{{identity, schedule}};
    for (const CpuSchedule &next : expected)
      if (chosen.size() < most && !objects.count(knobsText(next)))
        chosen.try_emplace(knobsText(next), next);
    compileInChildren(to_vector(make_second_range(chosen)));
  }
  auto found = objects.find(identity);
  return found == objects.end() ? nullptr : &found->second;
}

Error CandidateRunner::checkSmall(const CpuSchedule &schedule, Session &session) const {
  ForwardTensors tensors(problem.config, small);
  if (Error error = session.prepare(small.sizes))
    return error;
  if (Error error = session.forward(tensors.all))
    return error;
  if (options.onChecked)
    options.onChecked(schedule, tensors.outputs(small));
  for (auto [k, output] : enumerate(tensors.outputs(small)))
    if (double error = largestError(output, reference[k].exact); !(error <= reference[k].allowed))
      return wrong("the call that is checked", k, error, reference[k].allowed);
  return Error::success();
}

/// Checks results and leaves the session ready for the call that is tuned.
Error CandidateRunner::check(const CpuSchedule &schedule, Session &session, Report &report) const {
  if (Error error = checkSmall(schedule, session))
    return error;
  if (isSmallEnough)
    return Error::success();
  ForwardTensors tensors(problem.config, call);
  if (Error error = session.prepare(call.sizes))
    return error;
  if (Error error = session.forward(tensors.all))
    return error;
  for (auto [k, output] : enumerate(tensors.outputs(call))) {
    if (firstOutputs.empty()) {
      report.outputs.push_back(*toArray(output).storage);
      continue;
    }
    const double allowed = kSlackOfFullCall * reference[k].allowed;
    if (double error = largestError(output, firstOutputs[k]); !(error <= allowed))
      return wrong("the call that is tuned", k, error, allowed);
  }
  return Error::success();
}

std::vector<double> CandidateRunner::timeCalls(Session &session, ArrayRef<attune_tensor> tensors,
                                               int effort) const {
  std::vector<double> times;
  double spent = 0;
  while (spent < 1e3 * kSecondsPerEffort * effort || int(times.size()) < kLeastCalls + effort) {
    times.push_back(millisecondsOf(problem.threads, [&] { cantFail(session.forward(tensors)); }));
    spent += times.back();
    // The first calls of a small problem are slow for all schedules.
    if (fastestMs > 0 && times.back() > kTooSlow * fastestMs && times.size() >= 2 &&
        spent > 1e3 * kSecondsPerEffort / 4)
      break;
  }
  return times;
}

/// In the child.
CandidateRunner::Report CandidateRunner::run(const CpuSchedule &schedule, const Compiled &compiled,
                                             int effort) const {
  Report report;
  auto fail = [&](CandidateStatus status, Error error) {
    report.measurement = {status, {}, toString(std::move(error))};
    return report;
  };
  auto session = openSession(problem, compiled.code, call);
  if (!session)
    return fail(CandidateStatus::Refused, session.takeError());
  if (!compiled.isChecked)
    if (Error error = check(schedule, **session, report))
      return fail(CandidateStatus::Wrong, std::move(error));
  if (effort == 0)
    return report;
  ForwardTensors tensors(problem.config, call);
  if (Error error = (*session)->prepare(call.sizes))
    return fail(CandidateStatus::Refused, std::move(error));
  if (Error error = (*session)->forward(tensors.all)) // touches all memory once
    return fail(CandidateStatus::Wrong, std::move(error));
  report.measurement.milliseconds = timeCalls(**session, tensors.all, effort);
  return report;
}

std::optional<Measurement> CandidateRunner::measure(const CpuSchedule &schedule, int effort) {
  if (isStopped())
    return std::nullopt;
  Compiled *found = compiledOf(schedule);
  if (!found)
    return std::nullopt;
  Compiled &compiled = *found;
  if (compiled.failure)
    return compiled.failure;
  auto work = [&] {
    const Report report = run(schedule, compiled, effort);
    ByteWriter writer;
    write(writer, report.measurement);
    writer.add(report.outputs.size());
    for (const std::vector<double> &output : report.outputs)
      writer.add(output);
    return writer.bytes;
  };
  const ChildResult child = runInChild(work, runLimit(), options.stop);
  if (child.end != ChildResult::End::Finished)
    return failureOf(child);
  ByteReader reader(child.bytes);
  Measurement measurement = readMeasurement(reader);
  std::vector<std::vector<double>> outputs(reader.read<size_t>());
  for (std::vector<double> &output : outputs)
    output = reader.readVector<double>();
  if (measurement.status != CandidateStatus::Ok)
    return measurement;
  compiled.isChecked = true;
  if (firstOutputs.empty())
    firstOutputs = std::move(outputs);
  for (double time : measurement.milliseconds)
    fastestMs = fastestMs > 0 ? std::min(fastestMs, time) : time;
  return measurement;
}

/// In the child.
InterleavedTimes CandidateRunner::interleaveHere(ArrayRef<const Compiled *> compiled,
                                                 double seconds) const {
  ForwardTensors tensors(problem.config, call);
  std::vector<std::unique_ptr<Session>> sessions;
  for (const Compiled *one : compiled) {
    sessions.push_back(cantFail(openSession(problem, one->code, call)));
    cantFail(sessions.back()->prepare(call.sizes));
    cantFail(sessions.back()->forward(tensors.all));
  }
  InterleavedTimes times(sessions.size());
  double spent = 0;
  for (int round = 0; round < kMostRounds; ++round) {
    if (round >= kLeastRounds && spent > 1e3 * seconds)
      break;
    // In another order each time, so that none always follows the same.
    for (size_t k = 0; k < sessions.size(); ++k) {
      const size_t which = (k + size_t(round)) % sessions.size();
      times[which].push_back(millisecondsOf(
          problem.threads, [&] { cantFail(sessions[which]->forward(tensors.all)); }));
      spent += times[which].back();
    }
  }
  return times;
}

Expected<InterleavedTimes> CandidateRunner::interleave(ArrayRef<CpuSchedule> schedules,
                                                       double seconds) {
  std::vector<const Compiled *> compiled;
  for (const CpuSchedule &schedule : schedules) {
    auto found = objects.find(knobsText(schedule));
    if (found == objects.end())
      return createStringError("a schedule that was not measured cannot be timed again");
    compiled.push_back(&found->second);
  }
  auto work = [&] {
    ByteWriter writer;
    for (const std::vector<double> &series : interleaveHere(compiled, seconds))
      writer.add(series);
    return writer.bytes;
  };
  const double calls = double(schedules.size()) * (kLeastRounds + 5);
  const double limit = 30 + 5 * (seconds + calls * fastestMs / 1e3);
  const ChildResult child = runInChild(work, limit, options.stop);
  if (child.end == ChildResult::End::Stopped)
    return createStringError("stopped");
  if (child.end != ChildResult::End::Finished)
    return createStringError("timing the best schedules again: %s", child.detail.c_str());
  ByteReader reader(child.bytes);
  InterleavedTimes times;
  for (size_t k = 0; k < schedules.size(); ++k)
    times.push_back(reader.readVector<double>());
  return times;
}

} // namespace attune
