//===- CallClock.h - What calls are timed with ------------------*- C++ -*-===//
#ifndef ATTUNE_TUNER_CALLCLOCK_H
#define ATTUNE_TUNER_CALLCLOCK_H

#include <ctime>

namespace attune {

/// Seconds of the clock that times calls, and the machine's peak that they are compared with: where
/// one thread works the CPU time of this one, since other programs disturb that the least, else the
/// time of day, which counts workers that wait.
inline double callSeconds(int threads) {
  timespec time{};
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

} // namespace attune

#endif
