//===- tensor_file_source.h - Where the bytes of a tensor file come from ----------------------===//

#ifndef ATTUNE_RUNTIME_TENSOR_FILE_SOURCE_H
#define ATTUNE_RUNTIME_TENSOR_FILE_SOURCE_H

#include <cstddef>
#include <cstdint>

namespace attune::runtime {

/// A file on disk or in memory. Files are read, not mapped: one that becomes shorter meanwhile then
/// gives an error rather than a signal.
class Source {
public:
  /// Opens a regular file; throws a FileError.
  explicit Source(const char *Path);
  /// Memory that outlives the source.
  Source(const void *Memory, uint64_t Size)
      : Memory(static_cast<const std::byte *>(Memory)), Size(Size) {}
  Source(const Source &) = delete;
  Source &operator=(const Source &) = delete;
  ~Source();

  uint64_t size() const { return Size; }

  /// Copies \p Count bytes from \p Offset on; throws a FileError if they are not there.
  void read(uint64_t Offset, void *Target, uint64_t Count) const;

private:
  int Descriptor = -1;
  const std::byte *Memory = nullptr;
  uint64_t Size = 0;
};

/// Reads a part of a source in order. Throws a FileError where it is asked for more than there is.
class ByteReader {
public:
  ByteReader(const Source &From, uint64_t Begin, uint64_t Size, bool WithChecksum = false)
      : From(From), At(Begin), Left(Size), WithChecksum(WithChecksum) {}

  uint64_t remaining() const { return Left; }
  void read(void *Target, uint64_t Count);
  /// Of what was read so far (crc32); 0 without one.
  uint32_t checksum() const { return Checksum; }

private:
  const Source &From;
  uint64_t At;
  uint64_t Left;
  uint32_t Checksum = 0;
  bool WithChecksum;
};

/// The little-endian number of \p Count bytes at \p Bytes; Count is at most 8.
inline uint64_t loadLittleEndian(const void *Bytes, size_t Count) {
  uint64_t Value = 0;
  for (size_t I = 0; I < Count; ++I)
    Value |= static_cast<uint64_t>(static_cast<const unsigned char *>(Bytes)[I]) << (8 * I);
  return Value;
}

} // namespace attune::runtime

#endif
