//===- CompileKey.cpp - What decides the code of a configuration ----------===//
#include "package/CompileKey.h"

#include "attune/attune.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/Chrono.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"
#include <link.h>

using namespace llvm;

namespace attune {

std::string compilerVersions() {
  return formatv("attune {0}, interface {1}, LLVM {2}, Halide {3}\n", ATTUNE_VERSION,
                 ATTUNE_ABI_VERSION, LLVM_VERSION_STRING, ATTUNE_HALIDE_VERSION);
}

static int describeFile(dl_phdr_info *info, size_t, void *text) {
  // The program itself has no name there.
  const StringRef path = *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";
  sys::fs::file_status status;
  if (!sys::fs::status(path, status)) // what is no file comes from the kernel
    *static_cast<std::string *>(text) +=
        formatv("{0} {1} {2}\n", path, status.getSize(),
                status.getLastModificationTime().time_since_epoch().count());
  return 0;
}

std::string runningBuild() {
  std::string text;
  dl_iterate_phdr(describeFile, &text);
  return text;
}

std::string describeCompilation(const Config &config, const CpuSchedule &schedule,
                                const cpu::TargetInfo &target) {
  CpuSchedule knobs = schedule;
  knobs.provenance = {}; // where they come from changes no code
  return toJson(config) + toJson(knobs) + cpu::describe(target) + "\n";
}

uint64_t contentHash(const Config &config, const CpuSchedule &schedule,
                     const cpu::TargetInfo &target) {
  return xxh3_64bits(describeCompilation(config, schedule, target) + compilerVersions());
}

std::string cacheKey(const std::string &description, const std::string &versions,
                     const std::string &build) {
  BLAKE3 hasher;
  for (StringRef part : {StringRef(description), StringRef(versions), StringRef(build)}) {
    hasher.update(std::to_string(part.size()) + " ");
    hasher.update(part);
  }
  return toHex(hasher.final(), /*LowerCase=*/true);
}

} // namespace attune
