//===- Reproducer.cpp - What a crash of the compiler leaves behind --------===//
#include "pipeline/Reproducer.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"
#include <atomic>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace attune {

static thread_local Reproducer *current = nullptr;
/// For threads that work for a compilation: kernels are generated on several.
static std::atomic<Reproducer *> latest = nullptr;

static void onCrash(void *) {
  if (const Reproducer *reproducer = current ? current : latest.load())
    reproducer->write();
}

static std::string pathIn(StringRef folder, StringRef name) {
  SmallString<128> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

Reproducer::Reproducer(const Config &config, const CpuSchedule &schedule,
                       const cpu::TargetInfo &target)
    : configText(toJson(config)), scheduleText(toJson(schedule)), outer(current) {
  std::string parent = sys::Process::GetEnv("ATTUNE_CRASH_DIR").value_or("");
  folder = pathIn(parent, "attune-crash-" + std::to_string(sys::Process::getProcessId()));
  configPath = pathIn(folder, "config.json");
  schedulePath = pathIn(folder, "schedule.json");
  command = "attune compile " + configPath + " --schedule " + schedulePath + " --target " +
            target.name + " -o out";
  current = this;
  latest = this;
}

void Reproducer::watchForCrashes() {
  static std::once_flag installed;
  std::call_once(installed, [] { sys::AddSignalHandler(onCrash, nullptr); });
}

Reproducer::~Reproducer() {
  current = outer;
  Reproducer *self = this;
  latest.compare_exchange_strong(self, outer);
}

static void print(StringRef text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0)
      return;
    text = text.drop_front(written);
  }
}

static bool writeFile(const std::string &path, const std::string &text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0)
    return false;
  const bool isWhole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return ::close(file) == 0 && isWhole;
}

void Reproducer::write() const {
  print("attune: error: the compiler crashed in phase ");
  print(phaseInfo(phase).name);
  ::mkdir(folder.c_str(), 0755);
  if (!writeFile(configPath, configText) || !writeFile(schedulePath, scheduleText)) {
    print("; no reproducer could be written to ");
    print(folder);
    print("\n");
    return;
  }
  print("; please report it with the folder ");
  print(folder);
  print("; this repeats it:\n  ");
  print(command);
  print("\n");
}

} // namespace attune
