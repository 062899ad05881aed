//===- Profile.cpp - Where the time of a forward pass goes ----------------===//
#include "Profile.h"

#include <atomic>
#include <chrono>

using namespace llvm;

namespace attune::tool {

namespace {
Profiler *active = nullptr;
std::atomic<bool> hasScores; ///< in this forward pass
thread_local int32_t currentWorker = 0;

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// A parallel loop of generated code.
struct Loop {
  attune_range_body body;
  void *closure;
};

/// Phases in the order in which they are reported. A projection after the scores is "output".
enum Row { Projection, Packing, Masks, Scores, Softmax, Values, Finish, Output, Other, RowCount };
constexpr const char *kRowNames[RowCount] = {"projection", "packing", "masks",  "scores", "softmax",
                                             "values",     "finish",  "output", "other"};

Row rowOf(cpu::WorkPhase phase, bool isAfterScores) {
  constexpr std::pair<cpu::WorkPhase, Row> rows[] = {
      {cpu::WorkPhase::Projection, Projection}, {cpu::WorkPhase::Packing, Packing},
      {cpu::WorkPhase::Masks, Masks},           {cpu::WorkPhase::Scores, Scores},
      {cpu::WorkPhase::Softmax, Softmax},       {cpu::WorkPhase::Values, Values},
      {cpu::WorkPhase::Finish, Finish},         {cpu::WorkPhase::Other, Other}};
  for (auto [known, row] : rows)
    if (known == phase)
      return row == Projection && isAfterScores ? Output : row;
  llvm_unreachable("a phase without a row");
}
} // namespace

/// What generated code calls.
struct Profiler::Hooks {
  static void add(int32_t index, int64_t start, int64_t flops, int64_t bytes) {
    if (active->kernels[index].phase == cpu::WorkPhase::Scores)
      hasScores.store(true, std::memory_order_relaxed);
    Slot &slot =
        active->workers[currentWorker].slots[index][hasScores.load(std::memory_order_relaxed)];
    ++slot.calls;
    slot.flops += flops;
    slot.bytes += bytes;
    slot.nanoseconds += now() - start;
  }

  static void runBody(void *closure, int64_t begin, int64_t end, int32_t worker) {
    const auto *loop = static_cast<const Loop *>(closure);
    currentWorker = worker;
    const int64_t start = now();
    loop->body(loop->closure, begin, end, worker);
    active->workers[worker].busy += now() - start;
  }

  static void parallelFor(attune_context *context, int64_t count, int64_t grain,
                          attune_range_body body, void *closure) {
    Loop loop{body, closure};
    const int64_t start = now();
    attune_parallel_for(context, count, grain, runBody, &loop);
    active->loops += now() - start;
    currentWorker = 0;
  }
};

Profiler::Profiler(const CompiledModule &compiled, int threads)
    : kernels(compiled.timed), workers(static_cast<size_t>(threads)) {
  reset();
  active = this;
}

Profiler::~Profiler() { active = nullptr; }

std::vector<LoadedModule::Symbol> Profiler::symbols() {
  return {{cpu::profileNow, reinterpret_cast<void *>(&now)},
          {cpu::profileAdd, reinterpret_cast<void *>(&Hooks::add)},
          {"attune_parallel_for", reinterpret_cast<void *>(&Hooks::parallelFor)}};
}

void Profiler::reset() {
  for (Worker &worker : workers) {
    worker.slots.assign(kernels.size(), {});
    worker.busy = 0;
  }
  loops = 0;
  hasScores = false;
}

std::vector<PhaseProfile> Profiler::phases(int64_t nanoseconds) const {
  std::array<PhaseProfile, RowCount> rows;
  int64_t busy = nanoseconds - loops, counted = 0;
  for (const Worker &worker : workers) {
    busy += worker.busy;
    for (size_t kernel = 0; kernel < kernels.size(); ++kernel)
      for (bool isAfterScores : {false, true}) {
        const Slot &slot = worker.slots[kernel][isAfterScores];
        PhaseProfile &row = rows[rowOf(kernels[kernel].phase, isAfterScores)];
        row.calls += slot.calls;
        row.nanoseconds += slot.nanoseconds;
        row.flops += slot.flops;
        row.bytes += slot.bytes;
        counted += slot.nanoseconds;
      }
  }
  rows[Other].nanoseconds += busy - counted;
  std::vector<PhaseProfile> found;
  for (int row = 0; row < RowCount; ++row)
    if (rows[row].calls > 0 || row == Other) {
      rows[row].name = kRowNames[row];
      found.push_back(rows[row]);
    }
  found.push_back({"waiting", nanoseconds * static_cast<int64_t>(workers.size()) - busy});
  return found;
}

} // namespace attune::tool
