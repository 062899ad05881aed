//===- TuneProgress.h - How a search is going -------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_TUNEPROGRESS_H
#define ATTUNE_TOOLS_ATTUNE_TUNEPROGRESS_H

#include "tuner/Search.h"
#include "llvm/ADT/StringRef.h"

namespace attune::tool {

/// Shows a search on stderr: on a terminal a bar that is drawn over itself, else a line for each
/// trial.
class TuneProgress {
public:
  /// 0 candidates or seconds: no such limit. `known` trials were there before.
  TuneProgress(std::string name, int candidates, double seconds, int known);
  ~TuneProgress();

  /// A trial, `seconds` after the start.
  void show(const Trial &trial, double seconds);

private:
  double share(double seconds) const;
  std::string timeLeft(double seconds) const;

  const std::string name;
  const int candidates;
  const double budget;
  const int known;
  const bool isTerminal;
  int count = 0, failed = 0;
  double defaultMs = 0, bestMs = 0;
};

} // namespace attune::tool

#endif
