//===- tensor_file.cpp - Reading .safetensors files -------------------------------------------===//

#include "attune/tensor_file.h"

#include "error.h"
#include "safetensors_header.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

using namespace attune::runtime;

struct attune_tensor_file {
  struct Free {
    void operator()(std::byte *Data) const { std::free(Data); }
  };

  std::string Path; ///< For messages.
  std::vector<TensorEntry> Entries;
  std::vector<void *> Data;     ///< Of each entry.
  std::vector<uint32_t> ByName; ///< Indices of entries, sorted by name.
  std::unique_ptr<std::byte[], Free> Storage;
};

namespace {

constexpr size_t LengthBytes = 8; ///< Of the header's length, which a file starts with.

/// Where the bytes come from: an open file or memory.
struct Source {
  int Descriptor = -1;
  const std::byte *Memory = nullptr;
  uint64_t Size = 0;

  Source() = default;
  Source(const Source &) = delete;
  ~Source() {
    if (Descriptor >= 0)
      close(Descriptor);
  }

  /// Copies \p Count bytes from \p Offset, which lie within Size; false if that fails.
  bool read(uint64_t Offset, void *Target, size_t Count) const;
};

bool Source::read(uint64_t Offset, void *Target, size_t Count) const {
  if (Count == 0)
    return true;
  if (Memory) {
    std::memcpy(Target, Memory + Offset, Count);
    return true;
  }
  auto *Bytes = static_cast<std::byte *>(Target);
  while (Count > 0) {
    ssize_t Got = pread(Descriptor, Bytes, Count, static_cast<off_t>(Offset));
    if (Got < 0 && errno == EINTR)
      continue;
    if (Got <= 0) {
      // The file became shorter while it was read.
      if (Got == 0)
        errno = EIO;
      return false;
    }
    Bytes += Got;
    Offset += static_cast<uint64_t>(Got);
    Count -= static_cast<size_t>(Got);
  }
  return true;
}

attune_status failBadFile(const std::string &Path, const std::string &Problem) {
  return fail(ATTUNE_BAD_FILE, "%s: %s", Path.c_str(), Problem.c_str());
}

attune_status failIo(const std::string &Path, const char *Action) {
  int Error = errno;
  return fail(ATTUNE_IO_ERROR, "%s: cannot %s: %s", Path.c_str(), Action, std::strerror(Error));
}

uint64_t loadLittleEndian(const unsigned char (&Bytes)[LengthBytes]) {
  uint64_t Value = 0;
  for (size_t I = 0; I < LengthBytes; ++I)
    Value |= static_cast<uint64_t>(Bytes[I]) << (8 * I);
  return Value;
}

attune_status readHeader(const Source &From, attune_tensor_file &File, uint64_t &DataStart) {
  if (From.Size < LengthBytes)
    return failBadFile(File.Path,
                       "has " + std::to_string(From.Size) + " bytes, expected 8 or more");
  unsigned char LengthField[LengthBytes];
  if (!From.read(0, LengthField, LengthBytes))
    return failIo(File.Path, "read the header's length");
  uint64_t Length = loadLittleEndian(LengthField);
  if (Length > MaxHeaderBytes)
    return failBadFile(File.Path, "the header's length is " + std::to_string(Length) +
                                      ", expected at most " + std::to_string(MaxHeaderBytes));
  if (Length > From.Size - LengthBytes)
    return failBadFile(File.Path, "the header's length is " + std::to_string(Length) +
                                      ", but only " + std::to_string(From.Size - LengthBytes) +
                                      " bytes follow");
  std::string Header(static_cast<size_t>(Length), '\0');
  if (!From.read(LengthBytes, Header.data(), Header.size()))
    return failIo(File.Path, "read the header");
  DataStart = LengthBytes + Length;
  std::string Problem = parseHeader(Header, From.Size - DataStart, File.Entries);
  return Problem.empty() ? ATTUNE_OK : failBadFile(File.Path, Problem);
}

uint64_t roundUp(uint64_t Bytes) {
  return (Bytes + ATTUNE_ALIGNMENT - 1) / ATTUNE_ALIGNMENT * ATTUNE_ALIGNMENT;
}

/// Booleans other than 0 and 1 would be undefined behaviour in code that uses them.
bool hasOnlyBooleans(const std::byte *Data, uint64_t Bytes) {
  return std::all_of(Data, Data + Bytes, [](std::byte B) { return B <= std::byte{1}; });
}

attune_status readData(const Source &From, uint64_t DataStart, attune_tensor_file &File) {
  uint64_t Total = 0;
  for (const TensorEntry &Entry : File.Entries)
    Total += roundUp(Entry.End - Entry.Begin);
  File.Storage.reset(static_cast<std::byte *>(
      std::aligned_alloc(ATTUNE_ALIGNMENT, std::max<uint64_t>(Total, ATTUNE_ALIGNMENT))));
  if (!File.Storage)
    throw std::bad_alloc();
  File.Data.reserve(File.Entries.size());
  std::byte *Target = File.Storage.get();
  for (const TensorEntry &Entry : File.Entries) {
    uint64_t Bytes = Entry.End - Entry.Begin;
    File.Data.push_back(Bytes > 0 ? Target : nullptr);
    if (!From.read(DataStart + Entry.Begin, Target, Bytes))
      return failIo(File.Path, "read its data");
    if (Entry.Dtype == ATTUNE_BOOL && !hasOnlyBooleans(Target, Bytes))
      return failBadFile(File.Path,
                         "tensor " + quoteText(Entry.Name) + ": a boolean is neither 0 nor 1");
    Target += roundUp(Bytes);
  }
  return ATTUNE_OK;
}

attune_status load(const Source &From, const char *Name, attune_tensor_file **Result) {
  auto File = std::make_unique<attune_tensor_file>();
  File->Path = Name;
  uint64_t DataStart = 0;
  if (attune_status Status = readHeader(From, *File, DataStart))
    return Status;
  if (attune_status Status = readData(From, DataStart, *File))
    return Status;
  File->ByName.resize(File->Entries.size());
  for (uint32_t I = 0; I < File->ByName.size(); ++I)
    File->ByName[I] = I;
  std::sort(File->ByName.begin(), File->ByName.end(),
            [&](uint32_t A, uint32_t B) { return File->Entries[A].Name < File->Entries[B].Name; });
  *Result = File.release();
  return ATTUNE_OK;
}

attune_status open(const char *Path, attune_tensor_file **Result) {
  Source From;
  // Non-blocking, so that a named pipe is refused below rather than waited for.
  From.Descriptor = ::open(Path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat Info;
  if (From.Descriptor < 0 || fstat(From.Descriptor, &Info) != 0)
    return failIo(Path, "open the file");
  if (!S_ISREG(Info.st_mode))
    return fail(ATTUNE_IO_ERROR, "%s: is not a regular file", Path);
  From.Size = static_cast<uint64_t>(Info.st_size);
  return load(From, Path, Result);
}

/// Runs \p Body, and turns an exception into a status: none may cross the C interface.
template <typename Function> attune_status guarded(const char *Name, Function Body) noexcept {
  try {
    return Body();
  } catch (const std::bad_alloc &) {
    return fail(ATTUNE_OUT_OF_MEMORY, "%s: out of memory", Name);
  } catch (...) {
    return fail(ATTUNE_BAD_FILE, "%s: cannot be read", Name);
  }
}

/// Levenshtein's distance, of which one row is kept.
size_t editDistance(std::string_view A, std::string_view B) {
  std::vector<size_t> Row(B.size() + 1);
  for (size_t J = 0; J <= B.size(); ++J)
    Row[J] = J;
  for (size_t I = 1; I <= A.size(); ++I) {
    size_t Diagonal = Row[0];
    Row[0] = I;
    for (size_t J = 1; J <= B.size(); ++J) {
      size_t Above = Row[J];
      Row[J] = std::min({Above + 1, Row[J - 1] + 1, Diagonal + (A[I - 1] != B[J - 1])});
      Diagonal = Above;
    }
  }
  return Row[B.size()];
}

/// The names of up to three tensors that look most like \p Name.
std::string nearestNames(const attune_tensor_file &File, std::string_view Name) {
  // Bounds the time that a hostile file can take here.
  constexpr size_t MostNames = 4096, Longest = 128, Shown = 3;
  std::vector<std::pair<size_t, size_t>> Ranked;
  for (size_t I = 0; I < std::min(File.Entries.size(), MostNames); ++I) {
    std::string_view Other = File.Entries[I].Name;
    Ranked.emplace_back(editDistance(Name.substr(0, Longest), Other.substr(0, Longest)), I);
  }
  std::sort(Ranked.begin(), Ranked.end());
  std::string Result;
  for (size_t I = 0; I < std::min(Ranked.size(), Shown); ++I)
    Result += (I ? ", " : "") + quoteText(File.Entries[Ranked[I].second].Name);
  return Result;
}

attune_status get(const attune_tensor_file &File, std::string_view Name, attune_tensor &Tensor) {
  auto Found = std::lower_bound(
      File.ByName.begin(), File.ByName.end(), Name,
      [&](uint32_t Index, std::string_view Key) { return File.Entries[Index].Name < Key; });
  if (Found != File.ByName.end() && File.Entries[*Found].Name == Name) {
    const TensorEntry &Entry = File.Entries[*Found];
    Tensor = attune_dense_tensor(File.Data[*Found], Entry.Dtype, Entry.Rank, Entry.Sizes);
    return ATTUNE_OK;
  }
  if (File.Entries.empty())
    return fail(ATTUNE_NOT_FOUND, "%s: tensor %s not found, the file has none", File.Path.c_str(),
                quoteText(Name).c_str());
  return fail(ATTUNE_NOT_FOUND, "%s: tensor %s not found, the nearest are %s", File.Path.c_str(),
              quoteText(Name).c_str(), nearestNames(File, Name).c_str());
}

} // namespace

attune_status attune_tensor_file_open(const char *path, attune_tensor_file **file) {
  if (!path || !file)
    return fail(ATTUNE_NULL_POINTER, "attune_tensor_file_open: %s: is null",
                path ? "file" : "path");
  *file = nullptr;
  return guarded(path, [&] { return open(path, file); });
}

attune_status attune_tensor_file_parse(const void *bytes, size_t size, const char *name,
                                       attune_tensor_file **file) {
  if ((!bytes && size > 0) || !name || !file)
    return fail(ATTUNE_NULL_POINTER, "attune_tensor_file_parse: %s: is null",
                !file   ? "file"
                : !name ? "name"
                        : "bytes");
  *file = nullptr;
  return guarded(name, [&] {
    Source From;
    From.Memory = static_cast<const std::byte *>(bytes);
    From.Size = size;
    return load(From, name, file);
  });
}

void attune_tensor_file_close(attune_tensor_file *file) { delete file; }

size_t attune_tensor_file_count(const attune_tensor_file *file) {
  return file ? file->Entries.size() : 0;
}

const char *attune_tensor_file_name(const attune_tensor_file *file, size_t index) {
  return file && index < file->Entries.size() ? file->Entries[index].Name.c_str() : nullptr;
}

attune_status attune_tensor_file_get(const attune_tensor_file *file, const char *name,
                                     attune_tensor *tensor) {
  if (!file || !name || !tensor)
    return fail(ATTUNE_NULL_POINTER, "attune_tensor_file_get: %s: is null",
                !file   ? "file"
                : !name ? "name"
                        : "tensor");
  *tensor = {};
  return guarded(file->Path.c_str(), [&] { return get(*file, name, *tensor); });
}
