//===- crc32.h - The checksum of zip archives ---------------------------------------------===//

#ifndef ATTUNE_RUNTIME_CRC32_H
#define ATTUNE_RUNTIME_CRC32_H

#include <cstddef>
#include <cstdint>

namespace attune::runtime {

/// The checksum of bytes that follow others whose checksum is \p Crc (0 for none).
uint32_t crc32(uint32_t Crc, const void *Data, size_t Count);

} // namespace attune::runtime

#endif
