//===- CompileKey.h - What decides the code of a configuration --*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_COMPILEKEY_H
#define ATTUNE_PACKAGE_COMPILEKEY_H

#include "codegen/cpu/TargetInfo.h"
#include "frontend/Config.h"
#include "schedules/CpuSchedule.h"
#include <string>

namespace attune {

/// The compiler that makes the code: versions of attune, its interface, LLVM and Halide.
std::string compilerVersions();

/// The files that this process runs, with their sizes and dates of change: another build of attune,
/// LLVM or Halide makes other code, also under the same version.
std::string runningBuild();

/// Resolved configuration, schedule and target with its features, as text.
std::string describeCompilation(const Config &config, const CpuSchedule &schedule,
                                const cpu::TargetInfo &target);

/// Ties packed parameters to the code: of describeCompilation and compilerVersions.
uint64_t contentHash(const Config &config, const CpuSchedule &schedule,
                     const cpu::TargetInfo &target);

/// The name of a compilation's entry in the cache: 64 hexadecimal digits of the description, the
/// versions and the running build.
std::string cacheKey(const std::string &description, const std::string &versions,
                     const std::string &build);

} // namespace attune

#endif
