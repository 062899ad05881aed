#include "attune/attune.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <memory>
#include <pthread.h>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ATTUNE_TEST_TSAN 1
#endif
#endif

namespace {

class PoolContext {
public:
  explicit PoolContext(int32_t Threads) {
    attune_context_options Options = {sizeof(Options), Threads, nullptr, nullptr};
    EXPECT_EQ(attune_context_create(&Options, &Context), ATTUNE_OK);
  }
  PoolContext(const PoolContext &) = delete;
  ~PoolContext() { attune_context_destroy(Context); }
  operator attune_context *() const { return Context; }

private:
  attune_context *Context = nullptr;
};

/// Runs a callable as a loop's body.
template <typename Function>
void loop(attune_context *Context, int64_t Count, int64_t Grain, Function Body) {
  attune_parallel_for(
      Context, Count, Grain,
      [](void *Closure, int64_t Begin, int64_t End, int32_t Worker) {
        (*static_cast<Function *>(Closure))(Begin, End, Worker);
      },
      &Body);
}

/// Runs a loop; gives whether each index came exactly once, from workers in range.
bool coversExactly(attune_context *Context, int64_t Count, int64_t Grain) {
  std::vector<std::atomic<int>> Hits(static_cast<size_t>(std::max<int64_t>(Count, 0)));
  std::atomic<bool> Sound{true};
  int32_t Workers = attune_context_workers(Context);
  loop(Context, Count, Grain, [&](int64_t Begin, int64_t End, int32_t Worker) {
    if (Begin < 0 || Begin >= End || End > Count || Worker < 0 || Worker >= Workers)
      Sound = false;
    for (int64_t I = Begin; I < End; ++I)
      Hits[static_cast<size_t>(I)].fetch_add(1, std::memory_order_relaxed);
  });
  return Sound && std::all_of(Hits.begin(), Hits.end(), [](auto &Hit) { return Hit == 1; });
}

void sleepMicroseconds(int Count) { std::this_thread::sleep_for(std::chrono::microseconds(Count)); }

} // namespace

TEST(Pool, EveryIndexExactlyOnce) {
  for (int32_t Threads : {1, 2, 3, 8}) {
    PoolContext Context(Threads);
    for (int64_t Count : {0, 1, 2, 7, 64, 1000, 4097})
      for (int64_t Grain : {1, 2, 3, 64, 5000})
        EXPECT_TRUE(coversExactly(Context, Count, Grain))
            << Threads << " threads, count " << Count << ", grain " << Grain;
  }
}

TEST(Pool, OddArguments) {
  PoolContext Context(4);
  EXPECT_TRUE(coversExactly(Context, -5, 1));
  EXPECT_TRUE(coversExactly(Context, 10, 0));
  EXPECT_TRUE(coversExactly(Context, 10, -1));
  EXPECT_TRUE(coversExactly(Context, 10, INT64_MAX));
  EXPECT_TRUE(coversExactly(nullptr, 10, 3));
}

TEST(Pool, HugeCountsDoNotOverflow) {
  PoolContext Context(4);
  std::atomic<uint64_t> Sum{0};
  std::atomic<int> Calls{0};
  loop(Context, INT64_MAX, INT64_MAX / 3, [&](int64_t Begin, int64_t End, int32_t) {
    Sum += static_cast<uint64_t>(End - Begin);
    ++Calls;
  });
  EXPECT_EQ(Sum, static_cast<uint64_t>(INT64_MAX));
  EXPECT_EQ(Calls, 4);
}

TEST(Pool, ManyLoopsInARow) {
  PoolContext Context(4);
  for (int I = 0; I < 3000; ++I) {
    ASSERT_TRUE(coversExactly(Context, 16, 1));
    // Lets the helpers park now and then.
    if (I % 100 == 0)
      sleepMicroseconds(200);
  }
}

TEST(Pool, HelpersTakePart) {
  PoolContext Context(4);
  std::atomic<int> Inside{0};
  // Each chunk waits for another one to run at the same time, up to a limit.
  std::atomic<bool> Met{false};
  for (int Attempt = 0; Attempt < 10 && !Met; ++Attempt)
    loop(Context, 8, 1, [&](int64_t, int64_t, int32_t) {
      if (++Inside > 1)
        Met = true;
      for (int I = 0; I < 100 && !Met; ++I)
        sleepMicroseconds(100);
      --Inside;
    });
  EXPECT_TRUE(Met);
}

TEST(Pool, WorkerNumbersAreExclusive) {
  PoolContext Context(6);
  std::vector<std::atomic<int>> Inside(6);
  std::atomic<bool> Exclusive{true};
  for (int Round = 0; Round < 200; ++Round)
    loop(Context, 40, 1, [&](int64_t, int64_t, int32_t Worker) {
      if (Inside[static_cast<size_t>(Worker)]++ != 0)
        Exclusive = false;
      if (Round % 20 == 0)
        sleepMicroseconds(20);
      --Inside[static_cast<size_t>(Worker)];
    });
  EXPECT_TRUE(Exclusive);
}

TEST(Pool, ALoopSeesWhatWasWrittenBeforeAndShowsWhatItWrote) {
  PoolContext Context(4);
  std::vector<int64_t> Values(256, 0); // Plain memory: a missing ordering is a data race.
  for (int64_t Round = 1; Round <= 300; ++Round) {
    loop(Context, 256, 4, [&](int64_t Begin, int64_t End, int32_t) {
      for (int64_t I = Begin; I < End; ++I)
        ++Values[static_cast<size_t>(I)];
    });
    ASSERT_TRUE(std::all_of(Values.begin(), Values.end(), [&](int64_t V) { return V == Round; }));
  }
}

TEST(Pool, NestedLoopsRunInline) {
  PoolContext Context(4);
  std::atomic<int> Hits{0}, ForeignWorkers{0};
  loop(Context, 16, 1, [&](int64_t, int64_t, int32_t) {
    std::thread::id Outer = std::this_thread::get_id();
    loop(Context, 32, 1, [&](int64_t Begin, int64_t End, int32_t Worker) {
      Hits += static_cast<int>(End - Begin);
      if (Worker != 0 || std::this_thread::get_id() != Outer)
        ++ForeignWorkers;
    });
  });
  EXPECT_EQ(Hits, 16 * 32);
  EXPECT_EQ(ForeignWorkers, 0);
}

TEST(Pool, ConcurrentCallers) {
  PoolContext Context(3);
  std::atomic<int> Failures{0};
  std::vector<std::thread> Callers;
  for (int T = 0; T < 8; ++T)
    Callers.emplace_back([&] {
      for (int I = 0; I < 200; ++I)
        if (!coversExactly(Context, 100, 3))
          ++Failures;
    });
  for (std::thread &Caller : Callers)
    Caller.join();
  EXPECT_EQ(Failures, 0);
}

TEST(Pool, ManyContexts) {
  std::vector<std::unique_ptr<PoolContext>> Contexts;
  for (int I = 0; I < 8; ++I)
    Contexts.push_back(std::make_unique<PoolContext>(1 + I % 4));
  for (auto &Context : Contexts)
    EXPECT_TRUE(coversExactly(*Context, 50, 1));
  Contexts.erase(Contexts.begin() + 3);
  for (auto &Context : Contexts)
    EXPECT_TRUE(coversExactly(*Context, 50, 1));
}

TEST(Pool, UnusedAndIdlePoolsAreDestroyed) {
  for (int I = 0; I < 50; ++I) {
    PoolContext Unused(8);
    PoolContext Used(4);
    EXPECT_TRUE(coversExactly(Used, 9, 1));
    if (I % 10 == 0)
      sleepMicroseconds(300);
  }
}

TEST(Pool, WithoutThreadsTheCallerDoesAll) {
  // No thread can be created with a stack as large as the address space.
  pthread_attr_t Usual, Huge;
  ASSERT_EQ(pthread_getattr_default_np(&Usual), 0);
  ASSERT_EQ(pthread_attr_init(&Huge), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&Huge, size_t{1} << 47), 0);
  ASSERT_EQ(pthread_setattr_default_np(&Huge), 0);
  {
    PoolContext Context(4);
    std::thread::id Caller = std::this_thread::get_id();
    std::atomic<int> Foreign{0};
    for (int I = 0; I < 3; ++I)
      loop(Context, 100, 1,
           [&](int64_t, int64_t, int32_t) { Foreign += std::this_thread::get_id() != Caller; });
    EXPECT_EQ(Foreign, 0);
    EXPECT_TRUE(coversExactly(Context, 100, 1));
  }
  EXPECT_EQ(pthread_setattr_default_np(&Usual), 0);
  pthread_attr_destroy(&Usual);
  pthread_attr_destroy(&Huge);
}

TEST(Pool, ApplicationsLoopIsCalled) {
  struct Record {
    int Calls = 0;
    int64_t Count = 0, Grain = 0;
  } Seen;
  auto Loop = [](void *User, int64_t Count, int64_t Grain, attune_range_body Body, void *Closure) {
    auto &Record = *static_cast<struct Record *>(User);
    ++Record.Calls;
    Record.Count = Count;
    Record.Grain = Grain;
    for (int64_t I = Count - 1; I >= 0; --I)
      Body(Closure, I, I + 1, static_cast<int32_t>(I % 5));
  };
  attune_context_options Options = {sizeof(Options), 5, Loop, &Seen};
  attune_context *Context = nullptr;
  ASSERT_EQ(attune_context_create(&Options, &Context), ATTUNE_OK);
  EXPECT_EQ(attune_context_workers(Context), 5);
  EXPECT_TRUE(coversExactly(Context, 23, 4));
  EXPECT_EQ(Seen.Calls, 1);
  EXPECT_EQ(Seen.Count, 23);
  EXPECT_EQ(Seen.Grain, 4);
  EXPECT_TRUE(coversExactly(Context, 0, 4));
  EXPECT_EQ(Seen.Calls, 1);
  attune_context_destroy(Context);
}

#if defined(__x86_64__)
TEST(Pool, HelpersTakeOverTheCallersFloatingPointModes) {
  PoolContext Context(4);
  unsigned Before = _mm_getcsr();
  for (unsigned Mode : {_MM_FLUSH_ZERO_ON, _MM_FLUSH_ZERO_OFF}) {
    _MM_SET_FLUSH_ZERO_MODE(Mode);
    std::atomic<int> Different{0};
    for (int Round = 0; Round < 20; ++Round)
      loop(Context, 64, 1, [&](int64_t, int64_t, int32_t) {
        if (_MM_GET_FLUSH_ZERO_MODE() != Mode)
          ++Different;
        sleepMicroseconds(10);
      });
    EXPECT_EQ(Different, 0);
  }
  _mm_setcsr(Before);
}
#endif

#ifndef ATTUNE_TEST_TSAN // TSan does not allow threads in the child of a process with threads.

/// Runs \p Body in a forked child; gives whether it returned true in time.
template <typename Function> static bool succeedsInChild(Function Body) {
  pid_t Child = fork();
  if (Child == 0) {
    alarm(20);
    _exit(Body() ? 0 : 1);
  }
  int Status = -1;
  return Child > 0 && waitpid(Child, &Status, 0) == Child && WIFEXITED(Status) &&
         WEXITSTATUS(Status) == 0;
}

TEST(PoolFork, ChildWorksAndParentGoesOn) {
  PoolContext Context(4);
  ASSERT_TRUE(coversExactly(Context, 100, 1));
  EXPECT_TRUE(succeedsInChild([&] {
    bool Good = coversExactly(Context, 100, 1) && coversExactly(Context, 1000, 3);
    // A grandchild, too.
    return Good && succeedsInChild([&] { return coversExactly(Context, 100, 1); });
  }));
  EXPECT_TRUE(coversExactly(Context, 100, 1));
}

TEST(PoolFork, ChildStartsHelpersOfItsOwn) {
  PoolContext Context(2);
  ASSERT_TRUE(coversExactly(Context, 100, 1));
  EXPECT_TRUE(succeedsInChild([&] {
    std::atomic<bool> Helped{false};
    for (int Attempt = 0; Attempt < 100 && !Helped; ++Attempt)
      loop(Context, 20, 1, [&](int64_t, int64_t, int32_t Worker) {
        if (Worker != 0)
          Helped = true;
        sleepMicroseconds(100);
      });
    return Helped.load();
  }));
}

TEST(PoolFork, WhileAnotherThreadRunsALoop) {
  PoolContext Context(3);
  std::atomic<bool> Stop{false}, Running{false};
  std::thread Other([&] {
    while (!Stop)
      loop(Context, 30, 1, [&](int64_t, int64_t, int32_t) {
        Running = true;
        sleepMicroseconds(50);
      });
  });
  while (!Running)
    std::this_thread::yield();
  for (int I = 0; I < 10; ++I)
    EXPECT_TRUE(succeedsInChild([&] { return coversExactly(Context, 100, 1); }));
  Stop = true;
  Other.join();
}

TEST(PoolFork, ContextIsDestroyedInChild) {
  auto Context = std::make_unique<PoolContext>(4);
  ASSERT_TRUE(coversExactly(*Context, 100, 1));
  EXPECT_TRUE(succeedsInChild([&] {
    Context.reset();
    return true;
  }));
}

#endif
