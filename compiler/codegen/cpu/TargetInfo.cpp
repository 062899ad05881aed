//===- TargetInfo.cpp - What a target name stands for ---------------------===//
#include "codegen/cpu/TargetInfo.h"

#include "attune/attune.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"
#include <algorithm>
#include <unistd.h>

namespace attune::cpu {

namespace {
constexpr llvm::StringLiteral kTriple = "x86_64-unknown-linux-gnu";

/// LLVM's feature names and the run-time check's bits. AMX is not among them: LLVM uses it only
/// where asked, and the operating system grants it process by process.
struct FeatureBit {
  llvm::StringLiteral name;
  uint32_t bit;
};
constexpr FeatureBit kFeatureBits[] = {{"sse4.1", ATTUNE_CPU_SSE41},
                                       {"sse4.2", ATTUNE_CPU_SSE42},
                                       {"avx", ATTUNE_CPU_AVX},
                                       {"avx2", ATTUNE_CPU_AVX2},
                                       {"fma", ATTUNE_CPU_FMA},
                                       {"f16c", ATTUNE_CPU_F16C},
                                       {"bmi2", ATTUNE_CPU_BMI2},
                                       {"lzcnt", ATTUNE_CPU_LZCNT},
                                       {"movbe", ATTUNE_CPU_MOVBE},
                                       {"avxvnni", ATTUNE_CPU_AVXVNNI},
                                       {"avx512f", ATTUNE_CPU_AVX512F},
                                       {"avx512bw", ATTUNE_CPU_AVX512BW},
                                       {"avx512dq", ATTUNE_CPU_AVX512DQ},
                                       {"avx512vl", ATTUNE_CPU_AVX512VL},
                                       {"avx512cd", ATTUNE_CPU_AVX512CD},
                                       {"avx512bf16", ATTUNE_CPU_AVX512BF16},
                                       {"avx512vnni", ATTUNE_CPU_AVX512VNNI}};

using Features = llvm::StringMap<bool>;

void setFeatures(TargetInfo &target, const Features &features) {
  auto has = [&](llvm::StringRef name) { return features.lookup(name); };
  for (const FeatureBit &feature : kFeatureBits)
    if (has(feature.name))
      target.requiredFeatures |= feature.bit;
  KernelTarget &kernels = target.kernels;
  kernels.sse41 = has("sse4.1");
  kernels.avx = has("avx");
  kernels.f16c = has("f16c");
  kernels.fma = has("fma");
  kernels.avx2 = has("avx2") && has("fma");
  kernels.avx512 = has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl") &&
                   has("avx512cd") && kernels.avx2;
  kernels.vectorLanes = kernels.avx512 ? 16 : kernels.avx2 ? 8 : 4;
  target.traits.vectorLanes = kernels.vectorLanes;
  target.traits.vectorRegisters = kernels.avx512 ? 32 : 16;
}

TargetInfo hostTarget() {
  TargetInfo target;
  target.name = "host";
  target.triple = kTriple.str();
  target.cpu = llvm::sys::getHostCPUName().str();
  Features features = llvm::sys::getHostCPUFeatures();
  std::vector<std::string> list;
  for (const auto &entry : features)
    list.push_back((entry.getValue() ? "+" : "-") + entry.getKey().str());
  std::sort(list.begin(), list.end());
  for (const std::string &entry : list)
    target.features += (target.features.empty() ? "" : ",") + entry;
  setFeatures(target, features);
  if (long bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE); bytes > 0)
    target.traits.l1Bytes = bytes;
  if (long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > 0)
    target.traits.l2Bytes = bytes;
  return target;
}

std::string nearestNames(llvm::StringRef name) {
  std::vector<std::string> names = targetNames();
  auto rank = [&](const std::string &x) { return std::pair(name.edit_distance(x), x); };
  std::partial_sort(names.begin(), names.begin() + 3, names.end(),
                    [&](const auto &a, const auto &b) { return rank(a) < rank(b); });
  return names[0] + ", " + names[1] + ", " + names[2];
}
} // namespace

std::vector<std::string> targetNames() {
  llvm::SmallVector<llvm::StringRef> cpus;
  llvm::X86::fillValidCPUArchList(cpus, /*Only64Bit=*/true);
  std::vector<std::string> names = {"host"};
  for (llvm::StringRef cpu : cpus)
    names.push_back(cpu.str());
  return names;
}

llvm::Expected<TargetInfo> resolveTarget(llvm::StringRef name) {
  if (name == "host")
    return hostTarget();
  if (llvm::X86::parseArchX86(name, /*Only64Bit=*/true) == llvm::X86::CK_None)
    return llvm::createStringError("unknown target '%s'; nearest: %s (attune targets lists all)",
                                   name.str().c_str(), nearestNames(name).c_str());
  TargetInfo target;
  target.name = name.str();
  target.triple = kTriple.str();
  target.cpu = name.str();
  llvm::SmallVector<llvm::StringRef> list;
  llvm::X86::getFeaturesForCPU(name, list);
  Features features;
  for (llvm::StringRef feature : list)
    features[feature] = true;
  // The list leaves out what its features imply: avx512vl stands for avx512f, avx2 for avx.
  for (llvm::StringRef feature : list)
    llvm::X86::updateImpliedFeatures(feature, /*Enabled=*/true, features);
  setFeatures(target, features);
  return target;
}

} // namespace attune::cpu
