//===- Reproducer.h - What a crash of the compiler leaves behind -*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_REPRODUCER_H
#define ATTUNE_PIPELINE_REPRODUCER_H

#include "codegen/cpu/TargetInfo.h"
#include "frontend/Config.h"
#include "pipeline/Phase.h"
#include "schedules/CpuSchedule.h"
#include <string>

namespace attune {

/// While it lives, a crash of a process that has called watchForCrashes (a signal that ends it)
/// writes the folder attune-crash-PID with config.json and schedule.json and says on stderr in
/// which phase it happened and which command repeats it. The folder is made in $ATTUNE_CRASH_DIR,
/// else in the working directory.
class Reproducer {
public:
  Reproducer(const Config &config, const CpuSchedule &schedule, const cpu::TargetInfo &target);
  ~Reproducer();
  Reproducer(const Reproducer &) = delete;
  Reproducer &operator=(const Reproducer &) = delete;

  /// Installs handlers for the signals that end a process. For programs that are attune: the
  /// signals of an application that compiles are its own.
  static void watchForCrashes();

  void enter(Phase next) { phase = next; }

  /// Writes the folder; only calls what a signal handler may call.
  void write() const;

private:
  // Rendered beforehand: a signal handler must not allocate.
  std::string folder, configPath, configText, schedulePath, scheduleText, command;
  Phase phase = Phase::Module;
  Reproducer *outer; ///< of the same thread
};

} // namespace attune

#endif
