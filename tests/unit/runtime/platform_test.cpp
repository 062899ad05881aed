#include "platform.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

using namespace attune::runtime;

namespace {

constexpr uintptr_t MiB = uintptr_t(1) << 20;

/// The flags of the mapping that holds \p Address, as Linux shows them; empty if it does not.
std::string mappingFlags(const void *Address) {
  const auto Wanted = reinterpret_cast<uintptr_t>(Address);
  std::ifstream File("/proc/self/smaps");
  bool IsInside = false;
  for (std::string Line; std::getline(File, Line);) {
    // A mapping begins with "START-END ", its properties with "NAME:".
    char *Dash, *Space;
    const uintptr_t Start = std::strtoull(Line.c_str(), &Dash, 16);
    const uintptr_t End = *Dash == '-' ? std::strtoull(Dash + 1, &Space, 16) : 0;
    if (End != 0)
      IsInside = Start <= Wanted && Wanted < End;
    else if (IsInside && Line.rfind("VmFlags:", 0) == 0)
      return Line;
  }
  return "";
}

} // namespace

TEST(Platform, LargePagesAreAskedForWholePagesOnly) {
  if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"))
    GTEST_SKIP() << "this kernel has no large pages to ask for";
  void *Memory = mmap(nullptr, 8 * MiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(Memory, MAP_FAILED);
  const auto Start = reinterpret_cast<uintptr_t>(Memory);
  char *First = static_cast<char *>(Memory) + (2 * MiB - Start % (2 * MiB));
  // From a byte into the first whole page to a byte into the third.
  preferLargePages(First + 1, 4 * MiB);
  auto IsLarge = [](const char *Address) {
    return mappingFlags(Address).find(" hg") != std::string::npos;
  };
  EXPECT_FALSE(IsLarge(First));
  EXPECT_TRUE(IsLarge(First + 2 * MiB));
  EXPECT_TRUE(IsLarge(First + 4 * MiB - 1));
  EXPECT_FALSE(IsLarge(First + 4 * MiB));
  munmap(Memory, 8 * MiB);
}
