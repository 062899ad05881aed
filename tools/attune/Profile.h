//===- Profile.h - Where the time of a forward pass goes --------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_PROFILE_H
#define ATTUNE_TOOLS_ATTUNE_PROFILE_H

#include "package/Jit.h"
#include "pipeline/Compiler.h"
#include <array>

namespace attune::tool {

/// What was spent on one phase; times and work of all workers together.
struct PhaseProfile {
  std::string name;
  int64_t nanoseconds = 0;
  int64_t calls = 0; ///< of kernels
  int64_t flops = 0, bytes = 0;
};

/// Counts the kernel calls of a profiled module: the clock that its code calls. One at a time in a
/// process.
class Profiler {
public:
  Profiler(const CompiledModule &compiled, int threads);
  ~Profiler();
  Profiler(const Profiler &) = delete;
  Profiler &operator=(const Profiler &) = delete;

  /// What the module must be loaded with.
  static std::vector<LoadedModule::Symbol> symbols();

  /// Forgets what was counted.
  void reset();

  /// The phases that occurred since `reset`, in the order of a forward pass, then "other" (loops,
  /// clearing of accumulators, checks of arguments) and "waiting" (workers without work). Their
  /// times add up to `nanoseconds`, the time that the calling thread took, times the threads.
  std::vector<PhaseProfile> phases(int64_t nanoseconds) const;

private:
  struct Hooks;
  struct Slot {
    int64_t nanoseconds = 0, calls = 0, flops = 0, bytes = 0;
  };
  /// Written by one worker alone. Calls after the first scores of a forward pass are apart:
  /// projections among them are those of the output.
  struct Worker {
    std::vector<std::array<Slot, 2>> slots; ///< by timed kernel
    int64_t busy = 0;                       ///< nanoseconds within parallel loops
  };

  const std::vector<cpu::TimedKernel> &kernels;
  std::vector<Worker> workers;
  int64_t loops = 0; ///< nanoseconds that the calling thread spent in parallel loops
};

} // namespace attune::tool

#endif
