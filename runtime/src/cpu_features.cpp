//===- cpu_features.cpp - What this CPU and operating system offer ----------------------------===//

#include "cpu_features.h"

#include <atomic>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace attune::runtime {
namespace {

#if defined(__x86_64__)

enum class State { None, Avx, Avx512, Amx };
enum Register { Eax, Ebx, Ecx, Edx };

struct FeatureRow {
  uint32_t Feature;
  uint32_t Leaf;
  uint32_t Subleaf;
  Register Where;
  unsigned Bit;
  State Needs;
};

// A feature with several rows needs all of them.
constexpr FeatureRow FeatureRows[] = {
    {ATTUNE_CPU_SSE41, 1, 0, Ecx, 19, State::None},
    {ATTUNE_CPU_SSE42, 1, 0, Ecx, 20, State::None},
    {ATTUNE_CPU_MOVBE, 1, 0, Ecx, 22, State::None},
    {ATTUNE_CPU_AVX, 1, 0, Ecx, 28, State::Avx},
    {ATTUNE_CPU_FMA, 1, 0, Ecx, 12, State::Avx},
    {ATTUNE_CPU_F16C, 1, 0, Ecx, 29, State::Avx},
    {ATTUNE_CPU_AVX2, 7, 0, Ebx, 5, State::Avx},
    {ATTUNE_CPU_BMI2, 7, 0, Ebx, 8, State::None},
    {ATTUNE_CPU_AVX512F, 7, 0, Ebx, 16, State::Avx512},
    {ATTUNE_CPU_AVX512DQ, 7, 0, Ebx, 17, State::Avx512},
    {ATTUNE_CPU_AVX512CD, 7, 0, Ebx, 28, State::Avx512},
    {ATTUNE_CPU_AVX512BW, 7, 0, Ebx, 30, State::Avx512},
    {ATTUNE_CPU_AVX512VL, 7, 0, Ebx, 31, State::Avx512},
    {ATTUNE_CPU_AVX512VNNI, 7, 0, Ecx, 11, State::Avx512},
    {ATTUNE_CPU_AMX, 7, 0, Edx, 22, State::Amx},
    {ATTUNE_CPU_AMX, 7, 0, Edx, 24, State::Amx},
    {ATTUNE_CPU_AMX, 7, 0, Edx, 25, State::Amx},
    {ATTUNE_CPU_AVXVNNI, 7, 1, Eax, 4, State::Avx},
    {ATTUNE_CPU_AVX512BF16, 7, 1, Eax, 5, State::Avx512},
    {ATTUNE_CPU_LZCNT, 0x80000001u, 0, Ecx, 5, State::None},
};

/// Bits of XCR0: the register state that the operating system saves.
uint64_t enabledState() {
  uint32_t Registers[4] = {};
  constexpr uint32_t Osxsave = 1u << 27;
  if (!__get_cpuid(1, &Registers[Eax], &Registers[Ebx], &Registers[Ecx], &Registers[Edx]) ||
      !(Registers[Ecx] & Osxsave))
    return 0;
  uint32_t Low, High;
  __asm__ volatile("xgetbv" : "=a"(Low), "=d"(High) : "c"(0));
  return (static_cast<uint64_t>(High) << 32) | Low;
}

/// Linux gives the AMX tile registers only to processes that ask for them.
bool hasAmxPermission() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr int RequestPermission = 0x1023; // ARCH_REQ_XCOMP_PERM
  constexpr unsigned long TileData = 18;    // of XCR0
  return syscall(SYS_arch_prctl, RequestPermission, TileData) == 0;
#else
  return false;
#endif
}

bool isEnabled(State Needed, uint64_t Xcr0) {
  auto HasAll = [Xcr0](uint64_t Bits) { return (Xcr0 & Bits) == Bits; };
  switch (Needed) {
  case State::None:
    return true;
  case State::Avx:
    return HasAll(0x6);
  case State::Avx512:
    return HasAll(0xe6);
  case State::Amx:
    return HasAll(0x60000) && hasAmxPermission();
  }
  return false;
}

bool hasBit(const FeatureRow &Row) {
  uint32_t Registers[4] = {};
  // Refuses a leaf beyond the highest; of leaf 7, EAX of subleaf 0 is the highest subleaf.
  if (Row.Subleaf != 0 && (!__get_cpuid_count(Row.Leaf, 0, &Registers[Eax], &Registers[Ebx],
                                              &Registers[Ecx], &Registers[Edx]) ||
                           Registers[Eax] < Row.Subleaf))
    return false;
  return __get_cpuid_count(Row.Leaf, Row.Subleaf, &Registers[Eax], &Registers[Ebx], &Registers[Ecx],
                           &Registers[Edx]) &&
         (Registers[Row.Where] >> Row.Bit & 1);
}

uint32_t detect() {
  uint64_t Xcr0 = enabledState();
  uint32_t Found = 0, Missing = 0;
  for (const FeatureRow &Row : FeatureRows)
    (hasBit(Row) && isEnabled(Row.Needs, Xcr0) ? Found : Missing) |= Row.Feature;
  return Found & ~Missing;
}

#else

uint32_t detect() { return 0; }

#endif

struct FeatureName {
  uint32_t Feature;
  const char *Name;
};

constexpr FeatureName FeatureNames[] = {
    {ATTUNE_CPU_SSE41, "sse4.1"},
    {ATTUNE_CPU_SSE42, "sse4.2"},
    {ATTUNE_CPU_AVX, "avx"},
    {ATTUNE_CPU_AVX2, "avx2"},
    {ATTUNE_CPU_FMA, "fma"},
    {ATTUNE_CPU_F16C, "f16c"},
    {ATTUNE_CPU_BMI2, "bmi2"},
    {ATTUNE_CPU_LZCNT, "lzcnt"},
    {ATTUNE_CPU_MOVBE, "movbe"},
    {ATTUNE_CPU_AVX512F, "avx512f"},
    {ATTUNE_CPU_AVX512BW, "avx512bw"},
    {ATTUNE_CPU_AVX512DQ, "avx512dq"},
    {ATTUNE_CPU_AVX512VL, "avx512vl"},
    {ATTUNE_CPU_AVX512CD, "avx512cd"},
    {ATTUNE_CPU_AVX512BF16, "avx512bf16"},
    {ATTUNE_CPU_AVX512VNNI, "avx512vnni"},
    {ATTUNE_CPU_AVXVNNI, "avxvnni"},
    {ATTUNE_CPU_AMX, "amx"},
};

} // namespace

void appendCpuFeatureNames(TextBuilder &Text, uint32_t Features) {
  const char *Separator = "";
  for (const FeatureName &Row : FeatureNames) {
    if (!(Features & Row.Feature))
      continue;
    Text.append("%s%s", Separator, Row.Name);
    Separator = ", ";
    Features &= ~Row.Feature;
  }
  if (Features)
    Text.append("%sunknown features 0x%x", Separator, Features);
}

} // namespace attune::runtime

uint32_t attune_cpu_features(void) {
  // CPUID costs a microsecond or more in a virtual machine. The top bit marks a cached value.
  static std::atomic<uint32_t> Cache{0};
  constexpr uint32_t Known = 1u << 31;
  uint32_t Features = Cache.load(std::memory_order_relaxed);
  if (!(Features & Known)) {
    Features = attune::runtime::detect() | Known;
    Cache.store(Features, std::memory_order_relaxed);
  }
  return Features & ~Known;
}
