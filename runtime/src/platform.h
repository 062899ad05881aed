//===- platform.h - What the runtime needs of Linux and the CPU -------------------------------===//

#ifndef ATTUNE_RUNTIME_PLATFORM_H
#define ATTUNE_RUNTIME_PLATFORM_H

#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace attune::runtime {

/// Sleeps while \p Word holds \p Value; may return early.
inline void futexWait(std::atomic<uint32_t> &Word, uint32_t Value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&Word), FUTEX_WAIT_PRIVATE, Value, nullptr,
          nullptr, 0);
}

/// Wakes up to \p Count threads that sleep on \p Word.
inline void futexWake(std::atomic<uint32_t> &Word, int32_t Count) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&Word), FUTEX_WAKE_PRIVATE, Count, nullptr,
          nullptr, 0);
}

/// Asks for large pages for the whole ones of \p Size bytes that have not been touched yet. A hint:
/// a kernel without them does nothing.
inline void preferLargePages(void *Memory, size_t Size) {
  constexpr uintptr_t PageBytes = uintptr_t(2) << 20;
  uintptr_t Start = reinterpret_cast<uintptr_t>(Memory);
  uintptr_t First = (Start + PageBytes - 1) / PageBytes * PageBytes;
  uintptr_t End = (Start + Size) / PageBytes * PageBytes;
  if (First < End)
    madvise(static_cast<char *>(Memory) + (First - Start), End - First, MADV_HUGEPAGE);
}

inline void pauseCpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Limits spinning to 50 microseconds: shorter than that, sleeping and waking costs more.
class SpinTimer {
public:
  /// Pauses for a moment; false when the time is up.
  bool keepSpinning() {
    pauseCpu();
    if (++Turns % TurnsPerLook != 0)
      return true;
    int64_t Now = nanoseconds();
    if (Start == 0)
      Start = Now;
    return Now - Start < Limit;
  }

private:
  static constexpr unsigned TurnsPerLook = 32;
  static constexpr int64_t Limit = 50000;

  static int64_t nanoseconds() {
    timespec Time;
    clock_gettime(CLOCK_MONOTONIC, &Time);
    return static_cast<int64_t>(Time.tv_sec) * 1000000000 + Time.tv_nsec;
  }

  unsigned Turns = 0;
  int64_t Start = 0;
};

/// The rounding and denormal modes of this thread, without exception flags.
inline uint64_t floatControl() {
#if defined(__x86_64__)
  return __builtin_ia32_stmxcsr() & ~0x3fu;
#elif defined(__aarch64__)
  uint64_t Value;
  __asm__ volatile("mrs %0, fpcr" : "=r"(Value));
  return Value;
#else
  return 0;
#endif
}

inline void setFloatControl([[maybe_unused]] uint64_t Value) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(static_cast<unsigned>(Value));
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(Value));
#endif
}

} // namespace attune::runtime

#endif
