//===- CandidateRunner.h - Schedules compiled, checked and timed -*- C++ -*-===//
#ifndef ATTUNE_TUNER_CANDIDATERUNNER_H
#define ATTUNE_TUNER_CANDIDATERUNNER_H

#include "codegen/cpu/KernelCache.h"
#include "package/CompileCache.h"
#include "tuner/Objective.h"
#include "tuner/TuningProblem.h"
#include <map>

namespace attune {

struct RunnerOptions {
  double compileSeconds = 60; ///< longest time to compile a schedule
  int compileProcesses = 0;   ///< how many are compiled at once; 0: one a processor
  /// Longest time to check and time one; 0: a minute and 100 calls' time.
  double runSeconds = 0;
  double fastestMs = 0;       ///< of all calls that were timed before; 0: none was
  std::function<bool()> stop; ///< ends the search and the child process that is running; or empty
  /// Is called in the child process with the outputs of a call, before they are checked. Tests make
  /// faults with it.
  std::function<void(const CpuSchedule &, llvm::ArrayRef<attune_tensor> outputs)> onChecked;
};

/// Times of several schedules, one call of each after the other, round by round: entry k of every
/// series is of the same round.
using InterleavedTimes = std::vector<std::vector<double>>;

/// Compiles, checks and times schedules in child processes: several are compiled at once, nothing
/// else runs while one is timed. Kernels that schedules have in common are generated once, objects
/// are kept. This process must have one thread only.
class CandidateRunner : public Objective {
public:
  /// Computes the reference. `problem` must outlive this.
  static llvm::Expected<std::unique_ptr<CandidateRunner>> create(const TuningProblem &problem,
                                                                 RunnerOptions options);

  /// Two calls are compared before any is timed: a small one with the reference, and, if that is
  /// not the call that is tuned, that one with what the first schedule gave that passed. Without
  /// effort none is timed.
  std::optional<Measurement> measure(const CpuSchedule &schedule, int effort) override;

  void expect(std::vector<CpuSchedule> schedules) override { expected = std::move(schedules); }

  /// Times schedules that were measured before, in about `seconds`, at least 15 rounds.
  llvm::Expected<InterleavedTimes> interleave(llvm::ArrayRef<CpuSchedule> schedules,
                                              double seconds);

  size_t kernelCount() const { return kernels.size(); }

private:
  struct Compiled {
    ObjectCode code;
    std::optional<Measurement> failure; ///< why there is no code
    bool isChecked = false;
  };
  /// What a child process reports of a schedule.
  struct Report {
    Measurement measurement;
    std::vector<std::vector<double>> outputs; ///< of the call that is tuned, if asked for
  };

  CandidateRunner(const TuningProblem &problem, RunnerOptions options);

  Compiled *compiledOf(const CpuSchedule &schedule);
  void compileInChildren(llvm::ArrayRef<CpuSchedule> schedules);
  Compiled readCompiled(const struct ChildResult &child);
  std::string compileHere(const CpuSchedule &schedule);
  Report run(const CpuSchedule &schedule, const Compiled &compiled, int effort) const;
  llvm::Error check(const CpuSchedule &schedule, class Session &session, Report &report) const;
  llvm::Error checkSmall(const CpuSchedule &schedule, class Session &session) const;
  std::vector<double> timeCalls(class Session &session, llvm::ArrayRef<attune_tensor> tensors,
                                int effort) const;
  InterleavedTimes interleaveHere(llvm::ArrayRef<const Compiled *> compiled, double seconds) const;
  double runLimit() const;
  bool isStopped() const { return options.stop && options.stop(); }

  const TuningProblem &problem;
  const RunnerOptions options;
  TuningCall small, call;
  bool isSmallEnough;                            ///< the small call is the one that is tuned
  std::vector<ReferenceOutput> reference;        ///< of the small call
  std::vector<std::vector<double>> firstOutputs; ///< of the call that is tuned
  double fastestMs;                              ///< of all calls so far; 0 before the first
  cpu::KernelCache kernels;
  std::map<std::string, Compiled> objects; ///< by knobsText
  std::vector<CpuSchedule> expected;
};

} // namespace attune

#endif
