//===- BenchCommand.cpp - attune bench ------------------------------------===//
#include "CallTensors.h"
#include "Common.h"
#include "PeakFlops.h"
#include "package/Elements.h"
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

/// The tensors of a benchmark: from a file where it has them, else with seeded random content.
class BenchTensors {
public:
  /// Adds tensors of the interface, in its order.
  void add(ArrayRef<InterfaceTensor> specs, const CallSizes &sizes, float scale,
           const InputFile *file = nullptr) {
    for (const InterfaceTensor &spec : specs) {
      const bool isGiven = file && file->tensors.contains(spec.name);
      tensors.push_back(isGiven ? file->tensors.get(spec.name) : memory.allocate(spec, sizes));
      if (!isGiven)
        fill(spec, tensors.back(), scale);
      totalBytes += byteCount(tensors.back());
    }
  }

  std::vector<attune_tensor> tensors;
  size_t totalBytes = 0;

private:
  /// A bool attn_mask hides half of the keys, so that no tile is wholly visible or hidden; the
  /// other masks hide nothing.
  void fill(const InterfaceTensor &spec, attune_tensor &tensor, float scale) {
    if (tensor.dtype == ATTUNE_BOOL && spec.name == "attn_mask") {
      std::bernoulli_distribution half;
      std::generate_n(static_cast<bool *>(tensor.data), elementCount(tensor),
                      [&] { return half(generator); });
    } else if (is_contained(maskNames(), spec.name)) {
      std::fill_n(static_cast<char *>(tensor.data), byteCount(tensor), 0);
    } else {
      std::uniform_real_distribution<float> uniform(-scale, scale);
      for (size_t k = 0; k < elementCount(tensor); ++k)
        writeElement(tensor.data, tensor.dtype, k, uniform(generator));
    }
  }

  std::mt19937 generator{1};
  TensorMemory memory;
};

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
  const Config &config = compiled->config;
  std::optional<InputFile> opened;
  if (!arguments.inputs.empty())
    opened.emplace(arguments.inputs);
  const InputFile *file = opened ? &*opened : nullptr;
  Expected<CallSizes> sizes = benchSizes(config, arguments, file);
  if (!sizes)
    return sizes.takeError();
  auto session = Session::create(*compiled, arguments.threads);
  if (!session)
    return session.takeError();
  BenchTensors parameters, tensors;
  parameters.add(interfaceParameters(config), *sizes, 0.05f);
  tensors.add(interfaceInputs(config), *sizes, 1.0f, file);
  tensors.add(interfaceOutputs(config), *sizes, 0.0f);
  if (Error error = (*session)->pack(parameters.tensors))
    return error;
  if (Error error = (*session)->prepare(*sizes))
    return error;
  Expected<Timing> timing = measure(**session, tensors.tensors);
  if (!timing)
    return timing.takeError();
  Expected<double> peak = measurePeak(compiled->target, arguments.threads);
  if (!peak)
    return peak.takeError();
  print(*compiled, arguments, *timing,
        forwardFlops(config, sizes->batch, sizes->target, sizes->source), *peak,
        tensors.totalBytes + parameters.totalBytes);
  return Error::success();
}

} // namespace attune::tool
