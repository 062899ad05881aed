//===- FramingMutator.cpp - Mutations inside of a file's framing ----------===//
#include "Framing.h"
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

/// libFuzzer calls this instead of its own mutations. One in four changes any byte of the file, the
/// others one part with lengths and checksums put right.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize,
                                          unsigned seed) {
  using namespace attune::fuzz;
  std::minstd_rand random(seed);
  std::optional<Framing> framing =
      takeApart(std::string_view(reinterpret_cast<const char *>(data), size));
  if (!framing || framing->parts.empty() || random() % 4 == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  std::string &part = framing->parts[random() % framing->parts.size()];
  const size_t before = part.size(), most = before + std::max<size_t>(maxSize - size, 1);
  part.resize(most);
  part.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(part.data()), before, most));
  const std::string file = putTogether(*framing);
  if (file.size() > maxSize)
    return LLVMFuzzerMutate(data, size, maxSize);
  std::memcpy(data, file.data(), file.size());
  return file.size();
}
