//===- BenchCommand.cpp - attune bench ------------------------------------===//
#include "BenchProfile.h"
#include "CallTensors.h"
#include "PeakFlops.h"
#include "ReadBandwidth.h"
#include "package/Metadata.h"
#include "llvm/Support/Format.h"
#include <chrono>

using namespace llvm;

namespace attune::tool {

namespace {
constexpr double kSeconds = 1.0;
constexpr size_t kLeastRuns = 7;

/// Sizes from the configuration, the command line, the file, in this order.
Expected<CallSizes> benchSizes(const Config &config, const BenchArguments &arguments,
                               const InputFile *file) {
  KnownSizes known(config);
  auto takeOpen = [](std::optional<int64_t> &size, std::optional<int64_t> given) {
    size = size ? size : given;
  };
  takeOpen(known.batch, arguments.batch);
  takeOpen(known.target, arguments.targetLength);
  takeOpen(known.source, arguments.sourceLength);
  bool isUsed = !file;
  for (const InterfaceTensor &spec : interfaceInputs(config)) {
    if (!file || !file->tensors.contains(spec.name))
      continue;
    isUsed = true;
    if (Error error = known.bind(spec, file->tensors.get(spec.name), *file))
      return error;
  }
  if (!isUsed)
    return createStringError("%s: no tensor has the name of an input of the configuration",
                             file->path.c_str());
  if (!known.target)
    return createStringError("forward.target_length is open: give --target-length");
  return known.complete();
}

struct Timing {
  std::vector<double> milliseconds; ///< sorted

  double best() const { return milliseconds.front(); }
  double median() const { return milliseconds[milliseconds.size() / 2]; }
};

/// Two warm-ups, then runs until a second is spent; after each one of `profiled`, if there is one.
Expected<Timing> measure(Session &session, ProfiledModule *profiled,
                         ArrayRef<attune_tensor> tensors) {
  Timing timing;
  double spent = 0;
  for (size_t run = 0; spent < kSeconds * 1e3 || timing.milliseconds.size() < kLeastRuns; ++run) {
    auto start = std::chrono::steady_clock::now();
    if (Error error = session.forward(tensors))
      return error;
    std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    if (profiled)
      if (Error error = profiled->run(tensors))
        return error;
    if (run < 2)
      continue;
    timing.milliseconds.push_back(elapsed.count());
    spent += elapsed.count();
  }
  llvm::sort(timing.milliseconds);
  return timing;
}

/// Measures once more and keeps the better figures: other work on the machine can only lower them.
Error improve(MachineLimits &limits, const cpu::TargetInfo &target, int threads) {
  Expected<double> peak = measurePeak(target, threads, secondsOfDay);
  if (!peak)
    return peak.takeError();
  limits.gflops = std::max(limits.gflops, *peak);
  limits.readBandwidth = std::max(limits.readBandwidth, measureReadBandwidth(threads));
  return Error::success();
}

struct BenchResult {
  const CompiledModule &compiled;
  const Timing &timing;
  const ProfiledModule *profiled; ///< or null
  double flops;                   ///< of a run
  size_t bytes;                   ///< of inputs, outputs and parameters
  MachineLimits limits;
  int threads;

  double gflops() const { return flops / timing.best() / 1e6; }
  double shareOfPeak() const { return limits.gflops > 0 ? gflops() / limits.gflops : 0; }
  /// Of the time that reading every tensor once would take.
  double shareOfBandwidth() const {
    return static_cast<double>(bytes) / 1e6 / timing.best() / limits.readBandwidth;
  }
};

void printText(const BenchResult &result) {
  outs() << result.compiled.config.name << ": best " << format("%.3f", result.timing.best())
         << " ms, median " << format("%.3f", result.timing.median()) << " ms of "
         << result.timing.milliseconds.size() << " runs; " << format("%.1f", result.gflops())
         << " GFLOP/s, " << format("%.0f", 100 * result.shareOfPeak()) << " % of the FMA peak of "
         << format("%.1f", result.limits.gflops) << "; " << result.threads << " thread(s)\n";
  if (result.profiled)
    result.profiled->print(outs(), result.timing.best(), result.limits);
}

void printJson(const BenchResult &result) {
  json::Object object{{"name", result.compiled.config.name},
                      {"best_ms", result.timing.best()},
                      {"median_ms", result.timing.median()},
                      {"runs", result.timing.milliseconds.size()},
                      {"flops", result.flops},
                      {"gflops", result.gflops()},
                      {"peak_gflops", result.limits.gflops},
                      {"share_of_peak", result.shareOfPeak()},
                      {"bytes", result.bytes},
                      {"bandwidth_gb_per_s", result.limits.readBandwidth},
                      {"share_of_bandwidth", result.shareOfBandwidth()},
                      {"threads", result.threads},
                      {"target", result.compiled.target.cpu},
                      {"schedule", result.compiled.schedule.provenance.source}};
  if (result.profiled)
    object["profile"] = result.profiled->toJson(result.timing.best(), result.limits);
  outs() << json::Value(std::move(object)) << "\n";
}
} // namespace

Error runBench(const BenchArguments &arguments) {
  Expected<CompileRequest> request = readSingleRequest(arguments.config);
  if (!request)
    return request.takeError();
  Expected<CompiledModule> compiled = compileRequest(*request, arguments.config.noCache);
  if (!compiled)
    return compiled.takeError();
  const Config &config = compiled->config;
  std::optional<InputFile> opened;
  if (!arguments.inputs.empty())
    opened.emplace(arguments.inputs);
  const InputFile *file = opened ? &*opened : nullptr;
  Expected<CallSizes> sizes = benchSizes(config, arguments, file);
  if (!sizes)
    return sizes.takeError();
  auto session = Session::create(compiled->object, compiled->config.name, arguments.threads);
  if (!session)
    return session.takeError();
  RandomTensors parameters, tensors;
  parameters.add(interfaceParameters(config), *sizes, 0.05f);
  for (const InterfaceTensor &spec : interfaceInputs(config))
    if (file && file->tensors.contains(spec.name))
      tensors.add(file->tensors.get(spec.name));
    else
      tensors.add({spec}, *sizes, 1.0f);
  tensors.add(interfaceOutputs(config), *sizes, 0.0f);
  if (Error error = (*session)->pack(parameters.tensors))
    return error;
  if (Error error = (*session)->prepare(*sizes))
    return error;
  std::unique_ptr<ProfiledModule> profiled;
  if (arguments.profile) {
    auto created = ProfiledModule::create(*request, arguments.threads, parameters.tensors, *sizes);
    if (!created)
      return created.takeError();
    profiled = std::move(*created);
  }
  MachineLimits limits;
  if (Error error = improve(limits, compiled->target, arguments.threads))
    return error;
  Expected<Timing> timing = measure(**session, profiled.get(), tensors.tensors);
  if (!timing)
    return timing.takeError();
  if (Error error = improve(limits, compiled->target, arguments.threads))
    return error;
  const BenchResult result{*compiled,
                           *timing,
                           profiled.get(),
                           forwardFlops(config, sizes->batch, sizes->target, sizes->source),
                           tensors.totalBytes() + parameters.totalBytes(),
                           limits,
                           arguments.threads};
  arguments.json ? printJson(result) : printText(result);
  return Error::success();
}

} // namespace attune::tool
