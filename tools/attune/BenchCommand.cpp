//===- BenchCommand.cpp - attune bench ------------------------------------===//
#include "Common.h"

#include "PeakFlops.h"
#include "package/Metadata.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <random>

using namespace llvm;

namespace attune::tool {

namespace {
constexpr double kSeconds = 1.0;
constexpr size_t kLeastRuns = 7;

/// Tensors with seeded random content.
class RandomTensors {
public:
  void add(const InterfaceTensor &spec, const CallSizes &sizes, float scale) {
    std::vector<int64_t> shape = shapeOf(spec, sizes);
    size_t count = 1;
    for (int64_t size : shape)
      count *= static_cast<size_t>(size);
    const bool isMask = spec.type == InterfaceType::Mask;
    const size_t bytes = count * (isMask ? 1 : sizeof(float));
    buffers.emplace_back(bytes);
    void *data = buffers.back().data();
    std::uniform_real_distribution<float> uniform(-scale, scale);
    if (isMask)
      for (size_t k = 0; k < count; ++k)
        static_cast<uint8_t *>(data)[k] = uniform(generator) > 0.5f * scale;
    else
      for (size_t k = 0; k < count; ++k)
        static_cast<float *>(data)[k] = uniform(generator);
    totalBytes += bytes;
    tensors.push_back(attune_dense_tensor(data, isMask ? ATTUNE_BOOL : ATTUNE_FLOAT32, shape.size(),
                                          shape.data()));
  }

  std::vector<attune_tensor> tensors;
  size_t totalBytes = 0;

private:
  std::mt19937 generator{1};
  std::vector<attune::AlignedBuffer> buffers;
};

Expected<CallSizes> benchSizes(const Config &config, const BenchArguments &arguments) {
  const ForwardConfig &forward = config.forward;
  auto target = forward.targetLength ? forward.targetLength : arguments.targetLength;
  auto source = forward.sourceLength ? forward.sourceLength : arguments.sourceLength;
  if (!target)
    return createStringError("forward.target_length is open: give --target-length");
  CallSizes sizes;
  sizes.batch = forward.batch.value_or(arguments.batch);
  sizes.target = *target;
  sizes.source = forward.inputs == Inputs::Self ? *target : source.value_or(*target);
  return sizes;
}

struct Timing {
  std::vector<double> milliseconds; ///< sorted

  double best() const { return milliseconds.front(); }
  double median() const { return milliseconds[milliseconds.size() / 2]; }
};

/// Two warm-ups, then runs until a second is spent.
Expected<Timing> measure(Session &session, ArrayRef<attune_tensor> tensors) {
  Timing timing;
  double spent = 0;
  for (size_t run = 0; spent < kSeconds * 1e3 || timing.milliseconds.size() < kLeastRuns; ++run) {
    auto start = std::chrono::steady_clock::now();
    if (Error error = session.forward(tensors))
      return error;
    std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    if (run < 2)
      continue;
    timing.milliseconds.push_back(elapsed.count());
    spent += elapsed.count();
  }
  llvm::sort(timing.milliseconds);
  return timing;
}

void print(const CompiledModule &compiled, const BenchArguments &arguments, const Timing &timing,
           double flops, double peak, size_t bytes) {
  const double gflops = flops / timing.best() / 1e6;
  const double share = peak > 0 ? gflops / peak : 0;
  if (!arguments.json) {
    outs() << compiled.config.name << ": best " << format("%.3f", timing.best()) << " ms, median "
           << format("%.3f", timing.median()) << " ms of " << timing.milliseconds.size()
           << " runs; " << format("%.1f", gflops) << " GFLOP/s, " << format("%.0f", 100 * share)
           << " % of the FMA peak of " << format("%.1f", peak) << "; " << arguments.threads
           << " thread(s)\n";
    return;
  }
  json::Object result{{"name", compiled.config.name},
                      {"best_ms", timing.best()},
                      {"median_ms", timing.median()},
                      {"runs", timing.milliseconds.size()},
                      {"gflops", gflops},
                      {"peak_gflops", peak},
                      {"share_of_peak", share},
                      {"bytes", bytes},
                      {"threads", arguments.threads},
                      {"target", compiled.target.cpu},
                      {"schedule", compiled.schedule.provenance.source}};
  outs() << json::Value(std::move(result)) << "\n";
}
} // namespace

Error runBench(const BenchArguments &arguments) {
  Expected<CompiledModule> compiled = compileConfig(arguments.config);
  if (!compiled)
    return compiled.takeError();
  Expected<CallSizes> sizes = benchSizes(compiled->config, arguments);
  if (!sizes)
    return sizes.takeError();
  auto session = Session::create(*compiled, arguments.threads);
  if (!session)
    return session.takeError();
  RandomTensors parameters, tensors;
  for (const InterfaceTensor &spec : interfaceParameters(compiled->config))
    parameters.add(spec, *sizes, 0.05f);
  for (const InterfaceTensor &spec : interfaceInputs(compiled->config))
    tensors.add(spec, *sizes, 1.0f);
  for (const InterfaceTensor &spec : interfaceOutputs(compiled->config))
    tensors.add(spec, *sizes, 0.0f);
  if (Error error = (*session)->pack(parameters.tensors))
    return error;
  (*session)->prepare(sizes->batch, sizes->target, sizes->source);
  Expected<Timing> timing = measure(**session, tensors.tensors);
  if (!timing)
    return timing.takeError();
  Expected<double> peak = measurePeak(compiled->target, arguments.threads);
  if (!peak)
    return peak.takeError();
  print(*compiled, arguments, *timing,
        forwardFlops(compiled->config, sizes->batch, sizes->target, sizes->source), *peak,
        tensors.totalBytes + parameters.totalBytes);
  return Error::success();
}

} // namespace attune::tool
