#include "ThreadPool.h"

#include <algorithm>

ThreadPool::ThreadPool(int32_t Workers) {
  for (int32_t Worker = 0; Worker < Workers; ++Worker)
    Threads.emplace_back([this, Worker] { runWorker(Worker); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> Lock(Mutex);
    Stop = true;
  }
  Started.notify_all();
  for (std::thread &Thread : Threads)
    Thread.join();
}

void ThreadPool::takeRanges(int32_t Worker) {
  for (;;) {
    const int64_t Begin = Next.fetch_add(Grain);
    if (Begin >= Count)
      return;
    Body(Closure, Begin, std::min(Begin + Grain, Count), Worker);
    ++Ranges;
  }
}

void ThreadPool::runWorker(int32_t Worker) {
  std::unique_lock<std::mutex> Lock(Mutex);
  for (int64_t Seen = 0;; Seen = Generation) {
    Started.wait(Lock, [&] { return Stop || Generation != Seen; });
    if (Stop)
      return;
    Lock.unlock();
    takeRanges(Worker);
    Lock.lock();
    if (--Busy == 0)
      Finished.notify_one();
  }
}

void ThreadPool::parallelFor(int64_t LoopCount, int64_t LoopGrain, attune_range_body LoopBody,
                             void *LoopClosure) {
  std::unique_lock<std::mutex> Lock(Mutex);
  Count = LoopCount;
  Grain = std::max<int64_t>(LoopGrain, 1);
  Body = LoopBody;
  Closure = LoopClosure;
  Next = 0;
  Busy = Threads.size();
  ++Loops;
  ++Generation;
  Started.notify_all();
  Finished.wait(Lock, [&] { return Busy == 0; });
}

attune_context_options ThreadPool::contextOptions() {
  attune_context_options Options{};
  Options.struct_size = sizeof Options;
  Options.threads = static_cast<int32_t>(Threads.size());
  Options.user = this;
  Options.parallel_for = [](void *User, int64_t LoopCount, int64_t LoopGrain,
                            attune_range_body LoopBody, void *LoopClosure) {
    static_cast<ThreadPool *>(User)->parallelFor(LoopCount, LoopGrain, LoopBody, LoopClosure);
  };
  return Options;
}
