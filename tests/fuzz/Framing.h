//===- Framing.h - Tensor files taken apart ---------------------*- C++ -*-===//
//
// A change to a tensor file mostly breaks a length or a checksum, and the reader sees no more of
// it. Here a file is cut into parts that can change alone; joining them puts lengths, offsets and
// checksums right again.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TESTS_FUZZ_FRAMING_H
#define ATTUNE_TESTS_FUZZ_FRAMING_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attune::fuzz {

/// A .safetensors file as header and data, a .npy file as version, header and data, an archive as
/// name and content of each member.
struct Framing {
  enum class Kind { Safetensors, Npy, Zip };

  Kind kind;
  std::vector<std::string> parts;
};

/// Takes a file apart; nullopt when it is too broken for that.
std::optional<Framing> takeApart(std::string_view file);

/// Puts a file together again. The parts may hold anything.
std::string putTogether(const Framing &framing);

} // namespace attune::fuzz

#endif
