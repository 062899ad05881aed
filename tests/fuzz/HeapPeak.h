//===- HeapPeak.h - The most memory that was in use -------------*- C++ -*-===//
#ifndef ATTUNE_TESTS_FUZZ_HEAPPEAK_H
#define ATTUNE_TESTS_FUZZ_HEAPPEAK_H

#include <cstdint>

namespace attune::fuzz {

/// Watches the heap from its construction on. Needs AddressSanitizer; one at a time.
class HeapPeak {
public:
  HeapPeak();
  /// The most bytes that were in use at one time, beyond those in use at the start.
  int64_t bytes() const;
};

} // namespace attune::fuzz

#endif
