//===- tensor_file_source.cpp - Where the bytes of a tensor file come from --------------------===//

#include "tensor_file_source.h"

#include "crc32.h"
#include "tensor_file_text.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace attune::runtime {

[[noreturn]] static void failIo(const char *Action, int Error) {
  throw FileError{ATTUNE_IO_ERROR, std::string("cannot ") + Action + ": " + std::strerror(Error)};
}

Source::Source(const char *Path) {
  // Non-blocking, so that a named pipe is refused below rather than waited for.
  Descriptor = open(Path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (Descriptor < 0)
    failIo("open the file", errno);
  struct stat Info;
  int Error = fstat(Descriptor, &Info) != 0 ? errno : 0;
  if (Error != 0 || !S_ISREG(Info.st_mode)) {
    close(Descriptor); // The destructor does not run for a constructor that throws.
    if (Error != 0)
      failIo("open the file", Error);
    throw FileError{ATTUNE_IO_ERROR, "is not a regular file"};
  }
  Size = static_cast<uint64_t>(Info.st_size);
}

Source::~Source() {
  if (Descriptor >= 0)
    close(Descriptor);
}

void Source::read(uint64_t Offset, void *Target, uint64_t Count) const {
  if (Offset > Size || Count > Size - Offset)
    refuse("ends at byte " + std::to_string(Size) + ", but " + std::to_string(Count) +
           " bytes are expected at byte " + std::to_string(Offset));
  if (Count == 0)
    return;
  if (Memory) {
    std::memcpy(Target, Memory + Offset, Count);
    return;
  }
  auto *Bytes = static_cast<std::byte *>(Target);
  while (Count > 0) {
    ssize_t Got = pread(Descriptor, Bytes, Count, static_cast<off_t>(Offset));
    if (Got < 0 && errno == EINTR)
      continue;
    if (Got <= 0) // 0: the file became shorter while it was read.
      failIo("read the file", Got < 0 ? errno : EIO);
    Bytes += Got;
    Offset += static_cast<uint64_t>(Got);
    Count -= static_cast<uint64_t>(Got);
  }
}

void ByteReader::read(void *Target, uint64_t Count) {
  if (Count > Left)
    refuse("ends too early: " + std::to_string(Count) + " bytes are expected where " +
           std::to_string(Left) + " are left");
  From.read(At, Target, Count);
  At += Count;
  Left -= Count;
  if (WithChecksum)
    Checksum = crc32(Checksum, Target, Count);
}

} // namespace attune::runtime
