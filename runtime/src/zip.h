//===- zip.h - Zip archives of stored entries -------------------------------------------------===//

#ifndef ATTUNE_RUNTIME_ZIP_H
#define ATTUNE_RUNTIME_ZIP_H

#include "tensor_file_source.h"

#include <string>
#include <string_view>
#include <vector>

namespace attune::runtime {

struct ZipEntry {
  std::string Name; ///< UTF-8, unique, without null characters.
  uint64_t HeaderBegin = 0;
  uint64_t DataBegin = 0;
  uint64_t Size = 0;
  uint32_t Checksum = 0;
  uint16_t Flags = 0;
};

/// The directory of an archive, checked strictly: every entry is stored, that is not compressed;
/// headers and directory agree; headers and data tile the file without holes or overlaps. So no two
/// readers can see different contents, and no archive holds more than its own size.
class ZipArchive {
public:
  /// Reads the directory; throws a FileError. \p From must outlive the archive.
  explicit ZipArchive(const Source &From);

  const Source &source() const { return From; }
  /// In the order of the directory.
  const std::vector<ZipEntry> &entries() const { return Entries; }
  /// The entry of a name, or null.
  const ZipEntry *find(std::string_view Name) const;

  /// A reader of an entry's data; at the end, verify() its checksum.
  ByteReader open(const ZipEntry &Entry) const {
    return ByteReader(From, Entry.DataBegin, Entry.Size, /*WithChecksum=*/true);
  }
  void verify(const ZipEntry &Entry, uint32_t Checksum) const;
  /// Reads all of an entry's data and verifies it.
  void read(const ZipEntry &Entry, void *Target) const;

private:
  struct Directory;
  Directory findDirectory() const;
  void readZip64(Directory &Where, uint64_t &Limit) const;
  void readEntries(const Directory &Where);
  void checkHeader(ZipEntry &Entry, uint64_t End) const;
  void checkGap(const ZipEntry &Entry, uint64_t End) const;
  void checkTiling(const Directory &Where);
  void indexNames();

  const Source &From;
  std::vector<ZipEntry> Entries;
  std::vector<uint32_t> ByName; ///< Indices, sorted by name.
};

} // namespace attune::runtime

#endif
