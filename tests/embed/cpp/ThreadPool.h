// An application's own threads, and how generated code uses them.
#ifndef EMBED_THREADPOOL_H
#define EMBED_THREADPOOL_H

#include <atomic>
#include <attune/attune.h>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

class ThreadPool {
public:
  explicit ThreadPool(int32_t Workers);
  ~ThreadPool();

  /// Runs one loop while the caller waits: every thread takes ranges of at most \p Grain iterations
  /// until none is left. One loop at a time.
  void parallelFor(int64_t Count, int64_t Grain, attune_range_body Body, void *Closure);
  /// For attune::Context: loops of generated code run here.
  attune_context_options contextOptions();

  int64_t loops() const { return Loops; }
  int64_t ranges() const { return Ranges; }

private:
  void runWorker(int32_t Worker);
  void takeRanges(int32_t Worker);

  std::vector<std::thread> Threads;
  std::mutex Mutex;
  std::condition_variable Started, Finished;
  int64_t Generation = 0;
  size_t Busy = 0;
  bool Stop = false;

  int64_t Count = 0, Grain = 1;
  attune_range_body Body = nullptr;
  void *Closure = nullptr;
  std::atomic<int64_t> Next{0}, Ranges{0};
  int64_t Loops = 0;
};

#endif
