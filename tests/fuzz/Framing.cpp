//===- Framing.cpp - Tensor files taken apart -----------------------------===//
#include "Framing.h"
#include <array>
#include <cstdint>

namespace attune::fuzz {
namespace {

constexpr std::string_view npyMagic = "\x93NUMPY";
constexpr std::string_view localMark = "PK\x03\x04", centralMark = "PK\x01\x02",
                           endMark = "PK\x05\x06";
constexpr size_t localBytes = 30, centralBytes = 46, endBytes = 22;

uint64_t load(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t k = 0; k < count; ++k)
    value |= uint64_t(uint8_t(bytes[at + k])) << (8 * k);
  return value;
}

std::string stored(uint64_t value, size_t count) {
  std::string bytes;
  for (; count > 0; --count, value >>= 8)
    bytes += char(value);
  return bytes;
}

uint32_t crc32(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (char c : bytes) {
    crc ^= uint8_t(c);
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

/// `count` bytes from `at`, or nullopt where the file ends before.
std::optional<std::string_view> slice(std::string_view file, uint64_t at, uint64_t count) {
  if (at > file.size() || count > file.size() - at)
    return std::nullopt;
  return file.substr(at, count);
}

/// Cuts off a length field of `lengthBytes` bytes and as many bytes as it says; the rest follows.
bool splitAtLength(std::string_view bytes, size_t lengthBytes, std::vector<std::string> &parts) {
  if (bytes.size() < lengthBytes)
    return false;
  const uint64_t length = load(bytes, 0, lengthBytes);
  std::optional<std::string_view> header = slice(bytes, lengthBytes, length);
  if (!header)
    return false;
  parts.emplace_back(*header);
  parts.emplace_back(bytes.substr(lengthBytes + length));
  return true;
}

/// Name and content of the member whose row of the central directory starts at `row`; moves `row`
/// to the next one.
bool addMember(std::string_view file, uint64_t &row, std::vector<std::string> &parts) {
  std::optional<std::string_view> entry = slice(file, row, centralBytes);
  if (!entry || !entry->starts_with(centralMark))
    return false;
  const uint64_t size = load(*entry, 20, 4), nameBytes = load(*entry, 28, 2);
  const uint64_t local = load(*entry, 42, 4);
  std::optional<std::string_view> name = slice(file, row + centralBytes, nameBytes);
  std::optional<std::string_view> header = slice(file, local, localBytes);
  if (!name || !header)
    return false;
  std::optional<std::string_view> content =
      slice(file, local + localBytes + load(*header, 26, 2) + load(*header, 28, 2), size);
  if (!content)
    return false;
  parts.emplace_back(*name);
  parts.emplace_back(*content);
  row += centralBytes + nameBytes + load(*entry, 30, 2) + load(*entry, 32, 2);
  return true;
}

std::optional<Framing> takeZipApart(std::string_view file) {
  const size_t at = file.rfind(endMark);
  if (at == std::string_view::npos || file.size() - at < endBytes)
    return std::nullopt;
  Framing framing{Framing::Kind::Zip, {}};
  uint64_t row = load(file, at + 16, 4);
  for (uint64_t left = load(file, at + 10, 2); left > 0; --left)
    if (!addMember(file, row, framing.parts))
      return std::nullopt;
  return framing;
}

/// What local header and central directory say alike: version, flags, method, time, checksum, sizes
/// and the name's length.
std::string memberFields(std::string_view name, std::string_view content) {
  const uint16_t version = 20, lastDay = 0x21;
  return stored(version, 2) + stored(0, 6) + stored(lastDay, 2) + stored(crc32(content), 4) +
         stored(content.size(), 4) + stored(content.size(), 4) + stored(name.size(), 2);
}

std::string zipOf(const std::vector<std::string> &parts) {
  std::string file, directory;
  for (size_t k = 0; k + 1 < parts.size(); k += 2) {
    const std::string &content = parts[k + 1], name = parts[k].substr(0, UINT16_MAX);
    const std::string fields = memberFields(name, content);
    directory += std::string(centralMark) + stored(20, 2) + fields + stored(0, 12) +
                 stored(file.size(), 4) + name;
    file += std::string(localMark) + fields + stored(0, 2) + name + content;
  }
  const size_t members = parts.size() / 2;
  return file + directory + std::string(endMark) + stored(0, 4) + stored(members, 2) +
         stored(members, 2) + stored(directory.size(), 4) + stored(file.size(), 4) + stored(0, 2);
}

/// The length of a .npy header takes 2 bytes in version 1, later 4.
size_t npyLengthBytes(std::string_view version) { return version.starts_with('\1') ? 2 : 4; }

} // namespace

std::optional<Framing> takeApart(std::string_view file) {
  if (file.starts_with("PK"))
    return takeZipApart(file);
  Framing framing{Framing::Kind::Safetensors, {}};
  size_t lengthAt = 0, lengthBytes = 8;
  if (file.starts_with(npyMagic) && file.size() >= npyMagic.size() + 2) {
    framing = {Framing::Kind::Npy, {std::string(file.substr(npyMagic.size(), 2))}};
    lengthAt = npyMagic.size() + 2;
    lengthBytes = npyLengthBytes(framing.parts[0]);
  }
  if (!splitAtLength(file.substr(lengthAt), lengthBytes, framing.parts))
    return std::nullopt;
  return framing;
}

std::string putTogether(const Framing &framing) {
  const std::vector<std::string> &parts = framing.parts;
  switch (framing.kind) {
  case Framing::Kind::Safetensors:
    return stored(parts[0].size(), 8) + parts[0] + parts[1];
  case Framing::Kind::Npy:
    return std::string(npyMagic) + parts[0] + stored(parts[1].size(), npyLengthBytes(parts[0])) +
           parts[1] + parts[2];
  case Framing::Kind::Zip:
    break;
  }
  return zipOf(parts);
}

} // namespace attune::fuzz
