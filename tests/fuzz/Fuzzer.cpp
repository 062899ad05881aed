//===- Fuzzer.cpp - The entry point that libFuzzer calls ------------------===//
#include "Targets.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const attune::fuzz::Verdict verdict = attune::fuzz::runTarget(
      attune::fuzz::ATTUNE_FUZZ_TARGET, {reinterpret_cast<const char *>(data), size});
  if (verdict.problem.empty())
    return 0;
  std::fprintf(stderr, "BROKEN PROMISE: %s\n", verdict.problem.c_str());
  std::abort();
}
