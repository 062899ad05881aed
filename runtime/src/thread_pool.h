//===- thread_pool.h - The runtime's own parallel loop ----------------------------------------===//

#ifndef ATTUNE_RUNTIME_THREAD_POOL_H
#define ATTUNE_RUNTIME_THREAD_POOL_H

#include "attune/attune.h"

#include <atomic>
#include <pthread.h>

namespace attune::runtime {

/// Runs one parallel loop at a time on the calling thread (worker 0) and helper threads.
///
/// Helpers join a loop of their own accord: the caller publishes it, works itself until no chunk is
/// left, closes the loop and waits only for the helpers that had joined. A helper that the system
/// has not scheduled in time therefore never delays a loop.
class ThreadPool {
public:
  static constexpr int32_t MaxWorkers = 4096;

  /// Makes a pool of \p Workers workers, the caller included; null without memory. No thread
  /// starts before the first parallel loop.
  static ThreadPool *create(int32_t Workers);
  /// Stops and joins the helpers. No loop may be running.
  static void destroy(ThreadPool *Pool);

  /// Runs \p Body over [0, \p Count) in chunks of \p Grain. Runs everything inline as worker 0 when
  /// there is one chunk or one worker, or when the pool is busy (nested or concurrent calls).
  void run(int64_t Count, int64_t Grain, attune_range_body Body, void *Closure);

private:
  struct Helper {
    ThreadPool *Pool;
    int32_t Number;
    uint32_t FirstSeen; ///< Value of Signal when the helper was started.
    pthread_t Thread;
  };

  /// The loop being run. Written while no helper is in the loop, read only by those that joined.
  struct Job {
    attune_range_body Body;
    void *Closure;
    int64_t Count;
    int64_t Grain;
    int64_t Chunks;
    uint64_t FloatControl;
  };

  // Entry: the number of helpers inside the loop and two flags.
  static constexpr uint32_t Open = 1u << 31;    ///< Helpers may join.
  static constexpr uint32_t Waiting = 1u << 30; ///< The caller sleeps until the last one leaves.

  ThreadPool(Helper *Helpers, int32_t HelperCount) : Helpers(Helpers), HelperCount(HelperCount) {}

  static void *helperMain(void *Argument);
  void serve(Helper &Self);
  uint32_t awaitSignal(uint32_t Seen, bool &Parked);
  bool join();
  void leave();
  void runChunks(int32_t Worker);
  void publish(const Job &NewJob);
  void closeAndWait();
  void startHelpers();
  void resetAfterFork();

  static void registerPool(ThreadPool *Pool);
  static void unregisterPool(ThreadPool *Pool);
  static void installForkHandlers();
  static void beforeFork();
  static void afterForkInParent();
  static void afterForkInChild();

  // Each on a cache line of its own: helpers spin on Signal while others count chunks.
  alignas(64) std::atomic<uint32_t> Signal{0}; ///< Changes when a loop or the end is announced.
  alignas(64) std::atomic<uint32_t> Entry{0};
  alignas(64) std::atomic<int64_t> NextChunk{0};
  alignas(64) Job Current{};
  std::atomic<uint32_t> ParkedHelpers{0};
  std::atomic<bool> Busy{false};
  std::atomic<bool> Stop{false};
  bool Started = false; ///< Like RunningHelpers, owned by whoever holds Busy.
  int32_t RunningHelpers = 0;
  Helper *Helpers;
  int32_t HelperCount;
  ThreadPool *Previous = nullptr; ///< Neighbours in the list of all pools.
  ThreadPool *Next = nullptr;
};

} // namespace attune::runtime

#endif
