//===- BenchProfile.h - attune bench --profile ------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_BENCHPROFILE_H
#define ATTUNE_TOOLS_ATTUNE_BENCHPROFILE_H

#include "Common.h"
#include "Profile.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace attune::tool {

/// What the machine can do, with the threads of a benchmark.
struct MachineLimits {
  double gflops = 0;        ///< FMA peak
  double readBandwidth = 0; ///< of memory, in GB/s
};

/// A module with a clock around every kernel, and its fastest run so far.
class ProfiledModule {
public:
  /// Compiles the request once more, packs the parameters and prepares calls of these sizes.
  static llvm::Expected<std::unique_ptr<ProfiledModule>>
  create(CompileRequest request, int threads, llvm::ArrayRef<attune_tensor> parameters,
         const CallSizes &sizes);

  /// Runs forward; `tensors` are inputs then outputs. Keeps the phases if no run was faster.
  llvm::Error run(llvm::ArrayRef<attune_tensor> tensors);

  double milliseconds() const { return static_cast<double>(best) / 1e6; }
  const std::vector<PhaseProfile> &phases() const { return bestPhases; }

  /// A table of the phases; `plain` are the milliseconds of a run without clocks.
  void print(llvm::raw_ostream &out, double plain, const MachineLimits &limits) const;
  llvm::json::Object toJson(double plain, const MachineLimits &limits) const;

private:
  explicit ProfiledModule(CompiledModule compiled, int threads)
      : compiled(std::move(compiled)), threads(threads), profiler(this->compiled, threads) {}

  CompiledModule compiled;
  int threads;
  Profiler profiler;
  std::unique_ptr<Session> session;
  int64_t best = INT64_MAX; ///< nanoseconds
  std::vector<PhaseProfile> bestPhases;
};

} // namespace attune::tool

#endif
