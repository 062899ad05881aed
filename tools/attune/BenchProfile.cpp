//===- BenchProfile.cpp - attune bench --profile --------------------------===//
#include "BenchProfile.h"

#include "llvm/Support/Format.h"
#include <chrono>

using namespace llvm;

namespace attune::tool {

namespace {
/// Figures of a phase, of all workers together: times are divided by the threads.
struct PhaseFigures {
  PhaseFigures(const PhaseProfile &phase, int threads, double total)
      : milliseconds(static_cast<double>(phase.nanoseconds) / 1e6 / threads),
        share(milliseconds / total), gflop(static_cast<double>(phase.flops) / 1e9),
        megabytes(static_cast<double>(phase.bytes) / 1e6) {}

  double gflops() const { return rate(gflop * 1e3); }
  double gigabytesPerSecond() const { return rate(megabytes); }

  double milliseconds, share, gflop, megabytes;

private:
  double rate(double amount) const { return milliseconds > 0 ? amount / milliseconds : 0; }
};

PhaseProfile sumOf(ArrayRef<PhaseProfile> phases) {
  PhaseProfile total{"total"};
  for (const PhaseProfile &phase : phases) {
    total.nanoseconds += phase.nanoseconds;
    total.calls += phase.calls;
    total.flops += phase.flops;
    total.bytes += phase.bytes;
  }
  return total;
}

double shareOf(double rate, double limit) { return limit > 0 ? rate / limit : 0; }

/// A line of the table; a phase that computes or moves nothing has no rate.
void printLine(raw_ostream &out, const PhaseProfile &phase, const PhaseFigures &figures,
               const MachineLimits &limits) {
  out << format("%-10s %9.3f %5.1f %% %9lld", phase.name.c_str(), figures.milliseconds,
                100 * figures.share, static_cast<long long>(phase.calls));
  if (phase.flops > 0)
    out << format(" %9.3f %8.1f %5.0f %%", figures.gflop, figures.gflops(),
                  100 * shareOf(figures.gflops(), limits.gflops));
  else if (phase.bytes > 0)
    out << format(" %9s %8s %7s", "-", "-", "-");
  if (phase.bytes > 0)
    out << format(" %9.2f %7.2f %6.0f %%", figures.megabytes, figures.gigabytesPerSecond(),
                  100 * shareOf(figures.gigabytesPerSecond(), limits.readBandwidth));
  out << "\n";
}

json::Object toJson(const PhaseProfile &phase, const PhaseFigures &figures,
                    const MachineLimits &limits) {
  return json::Object{
      {"phase", phase.name},
      {"ms", figures.milliseconds},
      {"share", figures.share},
      {"calls", phase.calls},
      {"flops", phase.flops},
      {"gflops", figures.gflops()},
      {"share_of_peak", shareOf(figures.gflops(), limits.gflops)},
      {"bytes", phase.bytes},
      {"gb_per_s", figures.gigabytesPerSecond()},
      {"share_of_bandwidth", shareOf(figures.gigabytesPerSecond(), limits.readBandwidth)}};
}
} // namespace

Expected<std::unique_ptr<ProfiledModule>> ProfiledModule::create(CompileRequest request,
                                                                 int threads,
                                                                 ArrayRef<attune_tensor> parameters,
                                                                 const CallSizes &sizes) {
  request.options.isProfiled = true;
  Expected<CompiledModule> compiled = compileRequest(request, /*noCache=*/true);
  if (!compiled)
    return compiled.takeError();
  std::unique_ptr<ProfiledModule> module(new ProfiledModule(std::move(*compiled), threads));
  const CompiledModule &code = module->compiled;
  auto session = Session::create(code.object, code.config.name, threads, Profiler::symbols());
  if (!session)
    return session.takeError();
  module->session = std::move(*session);
  if (Error error = module->session->pack(parameters))
    return error;
  if (Error error = module->session->prepare(sizes))
    return error;
  return module;
}

Error ProfiledModule::run(ArrayRef<attune_tensor> tensors) {
  profiler.reset();
  const auto start = std::chrono::steady_clock::now();
  if (Error error = session->forward(tensors))
    return error;
  const std::chrono::nanoseconds elapsed = std::chrono::steady_clock::now() - start;
  if (elapsed.count() < best) {
    best = elapsed.count();
    bestPhases = profiler.phases(best);
  }
  return Error::success();
}

void ProfiledModule::print(raw_ostream &out, double plain, const MachineLimits &limits) const {
  const double total = milliseconds();
  out << "profile: " << format("%.3f", total) << " ms with a clock around every kernel ("
      << format("%+.1f", 100 * (total / plain - 1)) << " %); ";
  if (threads > 1)
    out << "times of " << threads << " workers, divided by " << threads << "; ";
  out << "FMA peak " << format("%.1f", limits.gflops) << " GFLOP/s, memory "
      << format("%.1f", limits.readBandwidth) << " GB/s\n"
      << "phase             ms   share     calls     GFLOP  GFLOP/s of peak        MB    GB/s of "
         "memory\n";
  for (const PhaseProfile &phase : bestPhases)
    printLine(out, phase, PhaseFigures(phase, threads, total), limits);
  const PhaseProfile sum = sumOf(bestPhases);
  printLine(out, sum, PhaseFigures(sum, threads, total), limits);
}

json::Object ProfiledModule::toJson(double plain, const MachineLimits &limits) const {
  const double total = milliseconds();
  json::Array rows;
  for (const PhaseProfile &phase : bestPhases)
    rows.push_back(tool::toJson(phase, PhaseFigures(phase, threads, total), limits));
  const PhaseProfile sum = sumOf(bestPhases);
  return json::Object{{"ms", total},
                      {"overhead", total / plain - 1},
                      {"phases", std::move(rows)},
                      {"total", tool::toJson(sum, PhaseFigures(sum, threads, total), limits)}};
}

} // namespace attune::tool
