//===- ChildProcess.h - Work that may crash or hang -------------*- C++ -*-===//
#ifndef ATTUNE_TUNER_CHILDPROCESS_H
#define ATTUNE_TUNER_CHILDPROCESS_H

#include "llvm/ADT/ArrayRef.h"
#include <functional>
#include <string>
#include <vector>

namespace attune {

/// What became of a child process.
struct ChildResult {
  enum class End {
    Finished, ///< `bytes` is what the work returned
    Crashed,  ///< `detail` says by which signal or status, and its last words on stderr
    TimedOut, ///< it was killed
    Stopped   ///< it was killed because of `stop`
  } end = End::Finished;
  std::string bytes, detail;
};

/// Runs `work` in a copy of this process, which shares its memory as it is now and gives back
/// nothing but the bytes that `work` returns. It is killed after `seconds`, when `stop` (which may
/// be empty) becomes true, and when this process ends. This process must have one thread only.
ChildResult runInChild(const std::function<std::string()> &work, double seconds,
                       const std::function<bool()> &stop);

/// The same for several, at the same time.
std::vector<ChildResult> runInChildren(llvm::ArrayRef<std::function<std::string()>> work,
                                       double seconds, const std::function<bool()> &stop);

} // namespace attune

#endif
