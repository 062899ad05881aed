//===- thread_pool.cpp - The runtime's own parallel loop --------------------------------------===//

#include "thread_pool.h"

#include "platform.h"

#include <csignal>
#include <cstdlib>
#include <new>

namespace attune::runtime {

// Parked helpers are woken in a tree: the caller wakes this many, each of them as many again while
// chunks are left. Waking all at once would delay the caller's own work by a microsecond a thread.
static constexpr int32_t WakeFanOut = 4;

ThreadPool *ThreadPool::create(int32_t Workers) {
  void *Memory = nullptr;
  if (posix_memalign(&Memory, alignof(ThreadPool), sizeof(ThreadPool)) != 0)
    return nullptr;
  int32_t HelperCount = Workers - 1;
  auto *Helpers = static_cast<Helper *>(calloc(HelperCount + 1, sizeof(Helper)));
  if (!Helpers) {
    free(Memory);
    return nullptr;
  }
  auto *Pool = new (Memory) ThreadPool(Helpers, HelperCount);
  registerPool(Pool);
  return Pool;
}

void ThreadPool::destroy(ThreadPool *Pool) {
  if (!Pool)
    return;
  unregisterPool(Pool);
  Pool->Stop.store(true, std::memory_order_release);
  Pool->Signal.fetch_add(1, std::memory_order_seq_cst);
  futexWake(Pool->Signal, MaxWorkers);
  for (int32_t I = 0; I < Pool->RunningHelpers; ++I)
    pthread_join(Pool->Helpers[I].Thread, nullptr);
  free(Pool->Helpers);
  Pool->~ThreadPool();
  free(Pool);
}

void ThreadPool::run(int64_t Count, int64_t Grain, attune_range_body Body, void *Closure) {
  bool Inline = Count <= Grain || HelperCount == 0 || Busy.load(std::memory_order_relaxed) ||
                Busy.exchange(true, std::memory_order_acquire);
  if (Inline)
    return Body(Closure, 0, Count, 0);
  if (!Started)
    startHelpers();
  if (RunningHelpers == 0) {
    Busy.store(false, std::memory_order_release);
    return Body(Closure, 0, Count, 0);
  }
  int64_t Chunks = Count / Grain + (Count % Grain != 0);
  publish({Body, Closure, Count, Grain, Chunks, floatControl()});
  runChunks(0);
  closeAndWait();
  Busy.store(false, std::memory_order_release);
}

void ThreadPool::publish(const Job &NewJob) {
  Current = NewJob;
  NextChunk.store(0, std::memory_order_relaxed);
  Entry.store(Open, std::memory_order_release);
  // Either this load sees a helper that counts itself as parked, or the helper, which counts itself
  // first, sees the new signal and does not sleep.
  Signal.fetch_add(1, std::memory_order_seq_cst);
  if (ParkedHelpers.load(std::memory_order_seq_cst) != 0)
    futexWake(Signal, NewJob.Chunks - 1 < WakeFanOut ? static_cast<int32_t>(NewJob.Chunks - 1)
                                                     : WakeFanOut);
}

void ThreadPool::runChunks(int32_t Worker) {
  const Job Loop = Current;
  // Chunks are counted, not iterations, so that the counter cannot overflow.
  for (;;) {
    int64_t Chunk = NextChunk.fetch_add(1, std::memory_order_relaxed);
    if (Chunk >= Loop.Chunks)
      return;
    int64_t Begin = Chunk * Loop.Grain;
    int64_t End = Loop.Count - Begin < Loop.Grain ? Loop.Count : Begin + Loop.Grain;
    Loop.Body(Loop.Closure, Begin, End, Worker);
  }
}

void ThreadPool::closeAndWait() {
  uint32_t State = Entry.fetch_and(~Open, std::memory_order_acq_rel) & ~Open;
  SpinTimer Timer;
  while (State != 0 && Timer.keepSpinning())
    State = Entry.load(std::memory_order_acquire);
  if (State == 0)
    return;
  State = Entry.fetch_or(Waiting, std::memory_order_acq_rel) | Waiting;
  while (State != Waiting) {
    futexWait(Entry, State);
    State = Entry.load(std::memory_order_acquire);
  }
}

bool ThreadPool::join() {
  uint32_t State = Entry.load(std::memory_order_relaxed);
  while (State & Open)
    if (Entry.compare_exchange_weak(State, State + 1, std::memory_order_acquire,
                                    std::memory_order_relaxed))
      return true;
  return false;
}

void ThreadPool::leave() {
  if (Entry.fetch_sub(1, std::memory_order_release) == (Waiting | 1))
    futexWake(Entry, 1);
}

uint32_t ThreadPool::awaitSignal(uint32_t Seen, bool &Parked) {
  Parked = false;
  SpinTimer Timer;
  do {
    uint32_t Now = Signal.load(std::memory_order_acquire);
    if (Now != Seen)
      return Now;
  } while (Timer.keepSpinning());
  Parked = true;
  ParkedHelpers.fetch_add(1, std::memory_order_seq_cst);
  uint32_t Now;
  while ((Now = Signal.load(std::memory_order_seq_cst)) == Seen)
    futexWait(Signal, Seen);
  ParkedHelpers.fetch_sub(1, std::memory_order_relaxed);
  return Now;
}

void ThreadPool::serve(Helper &Self) {
  uint32_t Seen = Self.FirstSeen;
  for (;;) {
    bool Parked;
    Seen = awaitSignal(Seen, Parked);
    if (Stop.load(std::memory_order_acquire))
      return;
    if (!join())
      continue;
    int64_t Left = Current.Chunks - NextChunk.load(std::memory_order_relaxed);
    if (Parked && Left > 1 && ParkedHelpers.load(std::memory_order_relaxed) != 0)
      futexWake(Signal, Left - 1 < WakeFanOut ? static_cast<int32_t>(Left - 1) : WakeFanOut);
    // The loop must round and flush denormals alike on every worker.
    setFloatControl(Current.FloatControl);
    runChunks(Self.Number);
    leave();
  }
}

void *ThreadPool::helperMain(void *Argument) {
  auto &Self = *static_cast<Helper *>(Argument);
  Self.Pool->serve(Self);
  return nullptr;
}

void ThreadPool::startHelpers() {
  Started = true;
  // The application's signal handlers must not run on helpers.
  sigset_t All, Old;
  sigfillset(&All);
  pthread_sigmask(SIG_BLOCK, &All, &Old);
  uint32_t Seen = Signal.load(std::memory_order_relaxed);
  for (; RunningHelpers < HelperCount; ++RunningHelpers) {
    Helper &New = Helpers[RunningHelpers];
    New.Pool = this;
    New.Number = RunningHelpers + 1;
    New.FirstSeen = Seen;
    if (pthread_create(&New.Thread, nullptr, helperMain, &New) != 0)
      break; // Fewer workers do the same work.
  }
  pthread_sigmask(SIG_SETMASK, &Old, nullptr);
}

//===------------------------------------------------------------------------------------------===//
// fork(): the child has none of the helpers, and may have been forked in the middle of a loop of
// another thread. Its pools are put back to where no thread has been started.
//===------------------------------------------------------------------------------------------===//

static pthread_mutex_t PoolListLock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t ForkHandlersOnce = PTHREAD_ONCE_INIT;
static ThreadPool *PoolList = nullptr;

void ThreadPool::resetAfterFork() {
  Signal.store(0, std::memory_order_relaxed);
  Entry.store(0, std::memory_order_relaxed);
  ParkedHelpers.store(0, std::memory_order_relaxed);
  Busy.store(false, std::memory_order_relaxed);
  Started = false;
  RunningHelpers = 0;
}

void ThreadPool::beforeFork() { pthread_mutex_lock(&PoolListLock); }

void ThreadPool::afterForkInParent() { pthread_mutex_unlock(&PoolListLock); }

void ThreadPool::afterForkInChild() {
  for (ThreadPool *Pool = PoolList; Pool; Pool = Pool->Next)
    Pool->resetAfterFork();
  pthread_mutex_unlock(&PoolListLock);
}

void ThreadPool::installForkHandlers() {
  pthread_atfork(beforeFork, afterForkInParent, afterForkInChild);
}

void ThreadPool::registerPool(ThreadPool *Pool) {
  pthread_once(&ForkHandlersOnce, installForkHandlers);
  pthread_mutex_lock(&PoolListLock);
  Pool->Next = PoolList;
  if (PoolList)
    PoolList->Previous = Pool;
  PoolList = Pool;
  pthread_mutex_unlock(&PoolListLock);
}

void ThreadPool::unregisterPool(ThreadPool *Pool) {
  pthread_mutex_lock(&PoolListLock);
  (Pool->Previous ? Pool->Previous->Next : PoolList) = Pool->Next;
  if (Pool->Next)
    Pool->Next->Previous = Pool->Previous;
  pthread_mutex_unlock(&PoolListLock);
}

} // namespace attune::runtime
