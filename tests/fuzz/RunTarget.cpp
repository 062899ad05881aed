//===- RunTarget.cpp - What every target must keep to ---------------------===//
#include "HeapPeak.h"
#include "Targets.h"

namespace attune::fuzz {

size_t memoryLimit(size_t inputBytes) { return 4 * inputBytes + (size_t{64} << 20); }

Verdict runTarget(Target *target, std::string_view input) {
  HeapPeak heap;
  Verdict verdict = target(input);
  if (const int64_t used = heap.bytes(); used > int64_t(memoryLimit(input.size())))
    verdict.problem = "an input of " + std::to_string(input.size()) + " bytes took " +
                      std::to_string(used) + " bytes of memory";
  return verdict;
}

} // namespace attune::fuzz
