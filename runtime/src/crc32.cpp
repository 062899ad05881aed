//===- crc32.cpp - The checksum of zip archives -------------------------------------------===//
//
// Eight bytes a step, with a table for each of them; weights are read in full, so this is the
// reader's inner loop.
//
//===------------------------------------------------------------------------------------------===//

#include "crc32.h"

#include <array>

namespace attune::runtime {
namespace {

constexpr size_t Step = 8;
using Tables = std::array<std::array<uint32_t, 256>, Step>;

/// Table K: what a byte that K more bytes follow contributes.
constexpr Tables makeTables() {
  constexpr uint32_t Polynomial = 0xedb88320;
  Tables Result = {};
  for (uint32_t Byte = 0; Byte < 256; ++Byte) {
    uint32_t Value = Byte;
    for (int Bit = 0; Bit < 8; ++Bit)
      Value = (Value >> 1) ^ (Value & 1 ? Polynomial : 0);
    Result[0][Byte] = Value;
  }
  for (size_t K = 1; K < Step; ++K)
    for (uint32_t Byte = 0; Byte < 256; ++Byte) {
      uint32_t Before = Result[K - 1][Byte];
      Result[K][Byte] = (Before >> 8) ^ Result[0][Before & 0xff];
    }
  return Result;
}

constexpr Tables Table = makeTables();

} // namespace

uint32_t crc32(uint32_t Crc, const void *Data, size_t Count) {
  const auto *Bytes = static_cast<const unsigned char *>(Data);
  Crc = ~Crc;
  for (; Count >= Step; Count -= Step, Bytes += Step) {
    uint32_t Next = 0;
    for (size_t I = 0; I < Step; ++I)
      Next ^= Table[Step - 1 - I][Bytes[I] ^ (I < 4 ? Crc >> (8 * I) & 0xff : 0)];
    Crc = Next;
  }
  for (size_t I = 0; I < Count; ++I)
    Crc = (Crc >> 8) ^ Table[0][(Crc ^ Bytes[I]) & 0xff];
  return ~Crc;
}

} // namespace attune::runtime
