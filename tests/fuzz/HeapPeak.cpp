//===- HeapPeak.cpp - The most memory that was in use ---------------------===//
#include "HeapPeak.h"
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <sanitizer/allocator_interface.h>

namespace attune::fuzz {
namespace {

// Other threads of the process may allocate too.
std::atomic<int64_t> current, peak;

void onAllocation(const volatile void *, size_t size) {
  const int64_t now = current += int64_t(size);
  int64_t before = peak;
  while (now > before && !peak.compare_exchange_weak(before, now)) {
  }
}

void onRelease(const volatile void *memory) {
  current -= int64_t(__sanitizer_get_allocated_size(const_cast<const void *>(memory)));
}

void install() {
  if (__sanitizer_install_malloc_and_free_hooks(onAllocation, onRelease) != 0)
    return;
  std::fputs("the heap cannot be watched\n", stderr);
  std::abort();
}

} // namespace

HeapPeak::HeapPeak() {
  static const bool installed = (install(), true);
  (void)installed;
  current = 0;
  peak = 0;
}

int64_t HeapPeak::bytes() const { return peak; }

} // namespace attune::fuzz
