//===- tensor_file_write.cpp - Writing .safetensors files -------------------------------------===//

#include "attune/tensor_file.h"
#include "error.h"
#include "raw_value.h"
#include "safetensors_header.h"
#include "tensor_file_data.h"
#include "tensor_file_text.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unistd.h>

using namespace attune::runtime;

namespace {

/// Everything that is to be written besides the header.
struct Plan {
  std::vector<TensorEntry> Entries; ///< In the caller's order.
  std::vector<size_t> Order;        ///< In the order of the data.
};

attune_status checkTensor(const char *Path, const char *Name, const attune_tensor &Tensor,
                          TensorEntry &Entry) {
  std::string Quoted = quoteText(Name);
  if (std::strcmp(Name, MetadataKey) == 0)
    return fail(ATTUNE_BAD_FILE, "%s: tensor %s: the format reserves this name", Path,
                Quoted.c_str());
  if (rawValue(Tensor.dtype) > ATTUNE_INT64)
    return fail(ATTUNE_WRONG_DTYPE, "%s: tensor %s: dtype is unknown (%u)", Path, Quoted.c_str(),
                rawValue(Tensor.dtype));
  if (Tensor.rank < 0 || Tensor.rank > ATTUNE_MAX_RANK)
    return fail(ATTUNE_WRONG_RANK, "%s: tensor %s: rank is %d, expected 0 to %d", Path,
                Quoted.c_str(), Tensor.rank, ATTUNE_MAX_RANK);
  uint64_t Bytes;
  if (!denseBytes(Tensor.dtype, Tensor.rank, Tensor.sizes, Bytes))
    return fail(ATTUNE_WRONG_SIZE, "%s: tensor %s: a size is negative or their product too large",
                Path, Quoted.c_str());
  attune_tensor Dense = attune_dense_tensor(Tensor.data, Tensor.dtype, Tensor.rank, Tensor.sizes);
  for (int32_t I = 0; I < Tensor.rank && Bytes > 0; ++I)
    if (Tensor.sizes[I] > 1 && Tensor.strides[I] != Dense.strides[I])
      return fail(ATTUNE_WRONG_STRIDE,
                  "%s: tensor %s: stride of dimension %d is %lld, expected %lld (dense)", Path,
                  Quoted.c_str(), I, static_cast<long long>(Tensor.strides[I]),
                  static_cast<long long>(Dense.strides[I]));
  if (Bytes > 0 && !Tensor.data)
    return fail(ATTUNE_NULL_POINTER, "%s: tensor %s: data is null", Path, Quoted.c_str());
  const auto *Data = static_cast<const unsigned char *>(Tensor.data);
  if (Tensor.dtype == ATTUNE_BOOL &&
      std::any_of(Data, Data + Bytes, [](unsigned char Value) { return Value > 1; }))
    return fail(ATTUNE_BAD_FILE, "%s: tensor %s: a boolean is neither 0 nor 1", Path,
                Quoted.c_str());
  Entry.Name = Name;
  Entry.Dtype = Tensor.dtype;
  Entry.Rank = Tensor.rank;
  std::copy_n(Tensor.sizes, Tensor.rank, Entry.Sizes);
  Entry.End = Bytes;
  return ATTUNE_OK;
}

/// Gives every tensor its place: larger elements first, so that all are aligned in the file.
attune_status layOut(const char *Path, Plan &Layout) {
  Layout.Order.resize(Layout.Entries.size());
  std::iota(Layout.Order.begin(), Layout.Order.end(), size_t{0});
  auto Rank = [&](size_t I) {
    return std::pair(-static_cast<int>(attune_dtype_size(Layout.Entries[I].Dtype)), I);
  };
  std::sort(Layout.Order.begin(), Layout.Order.end(),
            [&](size_t A, size_t B) { return Rank(A) < Rank(B); });
  uint64_t Cursor = 0;
  for (size_t Index : Layout.Order) {
    TensorEntry &Entry = Layout.Entries[Index];
    Entry.Begin = Cursor;
    if (__builtin_add_overflow(Cursor, Entry.End, &Cursor) ||
        Cursor > static_cast<uint64_t>(INT64_MAX))
      return fail(ATTUNE_WRONG_SIZE, "%s: the tensors are too large for one file", Path);
    Entry.End = Cursor;
  }
  return ATTUNE_OK;
}

/// The file's first bytes: length and header, padded with spaces to a multiple of 8 bytes.
std::string makeHeader(const std::vector<TensorEntry> &Entries) {
  std::string Text(8, '\0');
  Text += '{';
  for (const TensorEntry &Entry : Entries) {
    if (&Entry != &Entries.front())
      Text += ',';
    Text += nlohmann::json(Entry.Name).dump() + ":{\"dtype\":\"" + fileDtypeName(Entry.Dtype) +
            "\",\"shape\":[";
    for (int32_t I = 0; I < Entry.Rank; ++I)
      Text += (I ? "," : "") + std::to_string(Entry.Sizes[I]);
    Text += "],\"data_offsets\":[" + std::to_string(Entry.Begin) + "," + std::to_string(Entry.End) +
            "]}";
  }
  Text += '}';
  Text.append((8 - Text.size() % 8) % 8, ' ');
  uint64_t Length = Text.size() - 8;
  for (size_t I = 0; I < 8; ++I)
    Text[I] = static_cast<char>(Length >> (8 * I) & 0xff);
  return Text;
}

/// A file beside the final one that replaces it when complete, and else disappears.
class TemporaryFile {
public:
  explicit TemporaryFile(const char *Path) : Target(Path) {}
  TemporaryFile(const TemporaryFile &) = delete;
  ~TemporaryFile() {
    if (Descriptor >= 0)
      close(Descriptor);
    if (!Name.empty())
      unlink(Name.c_str());
  }

  bool create();
  bool write(const void *Data, uint64_t Count);
  bool commit();

private:
  std::string Target;
  std::string Name;
  int Descriptor = -1;
};

bool TemporaryFile::create() {
  static std::atomic<unsigned> Counter{0};
  constexpr int Attempts = 100;
  for (int I = 0; I < Attempts; ++I) {
    // mkstemp would make the file private; this way the process's umask decides.
    std::string Candidate = Target + ".tmp-" + std::to_string(getpid()) + "-" +
                            std::to_string(Counter.fetch_add(1, std::memory_order_relaxed));
    Descriptor = open(Candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (Descriptor >= 0) {
      Name = std::move(Candidate);
      return true;
    }
    if (errno != EEXIST)
      return false;
  }
  return false;
}

bool TemporaryFile::write(const void *Data, uint64_t Count) {
  const auto *Bytes = static_cast<const char *>(Data);
  while (Count > 0) {
    ssize_t Written = ::write(Descriptor, Bytes, Count);
    if (Written < 0 && errno == EINTR)
      continue;
    if (Written < 0)
      return false;
    Bytes += Written;
    Count -= static_cast<uint64_t>(Written);
  }
  return true;
}

bool TemporaryFile::commit() {
  if (fsync(Descriptor) != 0)
    return false;
  int Closing = Descriptor;
  Descriptor = -1;
  if (close(Closing) != 0 || rename(Name.c_str(), Target.c_str()) != 0)
    return false;
  Name.clear();
  // Makes the new name durable, too. Not every file system can, and the data is safe either way.
  size_t Slash = Target.rfind('/');
  std::string Directory = Slash == std::string::npos ? "." : Target.substr(0, Slash + 1);
  int DirectoryDescriptor = open(Directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (DirectoryDescriptor >= 0) {
    fsync(DirectoryDescriptor);
    close(DirectoryDescriptor);
  }
  return true;
}

attune_status writeFile(const char *Path, const Plan &Layout, const std::string &Header,
                        const attune_tensor *Tensors) {
  TemporaryFile File(Path);
  bool Good = File.create() && File.write(Header.data(), Header.size());
  for (size_t Index : Layout.Order) {
    const TensorEntry &Entry = Layout.Entries[Index];
    Good = Good && File.write(Tensors[Index].data, Entry.End - Entry.Begin);
  }
  if (!Good || !File.commit()) {
    int Error = errno;
    return fail(ATTUNE_IO_ERROR, "%s: cannot write the file: %s", Path, std::strerror(Error));
  }
  return ATTUNE_OK;
}

attune_status checkNames(const char *Path, const std::vector<TensorEntry> &Entries) {
  std::vector<std::string_view> Names;
  for (const TensorEntry &Entry : Entries)
    Names.push_back(Entry.Name);
  std::sort(Names.begin(), Names.end());
  auto Twice = std::adjacent_find(Names.begin(), Names.end());
  if (Twice == Names.end())
    return ATTUNE_OK;
  return fail(ATTUNE_BAD_FILE, "%s: tensor %s is given twice", Path, quoteText(*Twice).c_str());
}

attune_status writeTensors(const char *Path, size_t Count, const char *const *Names,
                           const attune_tensor *Tensors) {
  if (Count > MaxTensors)
    return fail(ATTUNE_BAD_FILE, "%s: %zu tensors are too many, expected at most %zu", Path, Count,
                MaxTensors);
  Plan Layout;
  Layout.Entries.resize(Count);
  for (size_t I = 0; I < Count; ++I) {
    if (!Names[I])
      return fail(ATTUNE_NULL_POINTER, "%s: the name of tensor %zu is null", Path, I);
    if (attune_status Status = checkTensor(Path, Names[I], Tensors[I], Layout.Entries[I]))
      return Status;
  }
  if (attune_status Status = checkNames(Path, Layout.Entries))
    return Status;
  if (attune_status Status = layOut(Path, Layout))
    return Status;
  std::string Header = makeHeader(Layout.Entries);
  if (Header.size() - 8 > MaxHeaderBytes)
    return fail(ATTUNE_BAD_FILE, "%s: the header would have %zu bytes, expected at most %zu", Path,
                Header.size() - 8, MaxHeaderBytes);
  return writeFile(Path, Layout, Header, Tensors);
}

} // namespace

attune_status attune_tensor_file_write(const char *path, size_t count, const char *const *names,
                                       const attune_tensor *tensors) {
  if (!path || (count > 0 && (!names || !tensors)))
    return fail(ATTUNE_NULL_POINTER, "attune_tensor_file_write: %s: is null",
                !path    ? "path"
                : !names ? "names"
                         : "tensors");
  try {
    return writeTensors(path, count, names, tensors);
  } catch (const std::bad_alloc &) {
    return fail(ATTUNE_OUT_OF_MEMORY, "%s: out of memory", path);
  } catch (...) {
    // Only the JSON writer throws anything else, for names that are not UTF-8.
    return fail(ATTUNE_BAD_FILE, "%s: a tensor's name is not UTF-8", path);
  }
}
