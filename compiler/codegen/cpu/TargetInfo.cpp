//===- TargetInfo.cpp - What a target name stands for ---------------------===//
#include "codegen/cpu/TargetInfo.h"

#include "attune/attune.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/TargetParser/X86TargetParser.h"
#include <algorithm>
#include <unistd.h>

namespace attune::cpu {

namespace {
/// The names of the CPUs without extensions: here, and of AArch64 in LLVM.
constexpr llvm::StringRef kX86 = "x86-64", kAArch64 = "aarch64", kAArch64Baseline = "generic";

/// LLVM's feature names and the run-time check's bits. AMX is not among them: only
/// code that multiplies by tiles needs it (multiplyPairs).
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
  if (kernels.avx512 && has("avx512bf16"))
    target.pairProducts =
        has("amx-tile") && has("amx-bf16") ? PairProducts::Tiles : PairProducts::Vectors;
}

TargetInfo x86Target(llvm::StringRef name, llvm::StringRef cpu, const Features &features) {
  TargetInfo target;
  target.name = name.str();
  target.triple = "x86_64-unknown-linux-gnu";
  target.cpu = target.instructionSet = cpu.str();
  setFeatures(target, features);
  return target;
}

/// float32 needs nothing beyond NEON, which every AArch64 CPU has: the code is scheduled for `cpu`
/// and runs on all of them.
TargetInfo aarch64Target(llvm::StringRef name, llvm::StringRef cpu) {
  TargetInfo target;
  target.name = name.str();
  target.triple = "aarch64-unknown-linux-gnu";
  target.cpu = cpu.str();
  target.instructionSet = kAArch64Baseline.str();
  target.kernels.arch = KernelTarget::Arch::AArch64;
  target.kernels.vectorLanes = target.traits.vectorLanes = 4;
  target.traits.vectorRegisters = 32;
  return target;
}

TargetInfo x86Host() {
  Features features = llvm::sys::getHostCPUFeatures();
  TargetInfo target = x86Target("host", llvm::sys::getHostCPUName(), features);
  std::vector<std::string> list;
  for (const auto &entry : features)
    list.push_back((entry.getValue() ? "+" : "-") + entry.getKey().str());
  std::sort(list.begin(), list.end());
  for (const std::string &entry : list)
    target.features += (target.features.empty() ? "" : ",") + entry;
  return target;
}

llvm::Expected<TargetInfo> hostTarget() {
  const llvm::Triple process(llvm::sys::getProcessTriple());
  TargetInfo target;
  if (process.getArch() == llvm::Triple::x86_64)
    target = x86Host();
  else if (process.getArch() == llvm::Triple::aarch64)
    target = aarch64Target("host", llvm::sys::getHostCPUName());
  else
    return llvm::createStringError("no code can be generated for this machine (%s), only for "
                                   "x86_64 and aarch64",
                                   process.getArchName().str().c_str());
  // The operating system may keep the tile registers from this process.
  if (target.pairProducts == PairProducts::Tiles && !(attune_cpu_features() & ATTUNE_CPU_AMX))
    target.pairProducts = PairProducts::Vectors;
  if (long bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE); bytes > 0)
    target.traits.l1Bytes = bytes;
  if (long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > 0)
    target.traits.l2Bytes = bytes;
  return target;
}

TargetInfo x86Named(llvm::StringRef name) {
  llvm::SmallVector<llvm::StringRef> list;
  llvm::X86::getFeaturesForCPU(name, list);
  Features features;
  for (llvm::StringRef feature : list)
    features[feature] = true;
  // The list leaves out what its features imply: avx512vl stands for avx512f, avx2 for avx.
  for (llvm::StringRef feature : list)
    llvm::X86::updateImpliedFeatures(feature, /*Enabled=*/true, features);
  return x86Target(name, name, features);
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
  llvm::SmallVector<llvm::StringRef> x86, aarch64;
  llvm::X86::fillValidCPUArchList(x86, /*Only64Bit=*/true);
  llvm::AArch64::fillValidCPUArchList(aarch64);
  std::vector<std::string> names = {"host"};
  names.insert(names.end(), x86.begin(), x86.end());
  names.push_back(kAArch64.str());
  for (llvm::StringRef cpu : aarch64)
    if (cpu != kAArch64Baseline)
      names.push_back(cpu.str());
  return names;
}

void multiplyPairs(llvm::MutableArrayRef<TargetInfo> targets) {
  if (llvm::any_of(targets, [](const TargetInfo &target) {
        return target.pairProducts == PairProducts::None;
      }))
    return;
  for (TargetInfo &target : targets) {
    target.kernels.pairProducts = target.traits.pairProducts = target.pairProducts;
    if (target.pairProducts == PairProducts::Tiles)
      target.requiredFeatures |= ATTUNE_CPU_AMX;
  }
}

TargetInfo baselineOf(const TargetInfo &target) {
  return target.kernels.arch == KernelTarget::Arch::AArch64
             ? aarch64Target(kAArch64, kAArch64Baseline)
             : x86Named(kX86);
}

std::string describe(const TargetInfo &target) {
  // Whole structs, so that a field that is added and forgotten here does not compile.
  const auto &[name, triple, cpu, instructionSet, features, kernels, traits, required, best] =
      target;
  const auto &[arch, sse41, avx, f16c, fma, avx2, avx512, kernelLanes, products] = kernels;
  const auto &[lanes, registers, l1Bytes, l2Bytes, pairProducts] = traits;
  return llvm::formatv("{0} {1} {2} {3} {4} {5:x}\n{6} {7} {8} {9} {10} {11} {12} {13} {14}\n"
                       "{15} {16} {17} {18} {19} {20}",
                       name, triple, cpu, instructionSet, features, required,
                       static_cast<int>(arch), sse41, avx, f16c, fma, avx2, avx512, kernelLanes,
                       static_cast<int>(products), lanes, registers, l1Bytes, l2Bytes,
                       static_cast<int>(pairProducts), static_cast<int>(best));
}

llvm::Expected<TargetInfo> resolveTarget(llvm::StringRef name) {
  if (name == "host")
    return hostTarget();
  if (name == kAArch64)
    return aarch64Target(name, kAArch64Baseline);
  if (llvm::X86::parseArchX86(name, /*Only64Bit=*/true) != llvm::X86::CK_None)
    return x86Named(name);
  llvm::StringRef cpu = llvm::AArch64::resolveCPUAlias(name);
  if (name != kAArch64Baseline && llvm::AArch64::parseCpu(cpu))
    return aarch64Target(name, cpu);
  return llvm::createStringError("unknown target '%s'; nearest: %s (attune targets lists all)",
                                 name.str().c_str(), nearestNames(name).c_str());
}

} // namespace attune::cpu
