//===- torch_file.cpp - Reading PyTorch's .pt files -------------------------------------------===//
//
// torch.save writes a zip archive of one folder: data.pkl, a pickle that describes the objects;
// data/0, data/1 ..., the storages; byteorder; and some that say nothing of the tensors.
//
//===------------------------------------------------------------------------------------------===//

#include "torch_file.h"

#include "tensor_file_text.h"
#include "torch_state.h"

#include <algorithm>

namespace attune::runtime {
namespace {

constexpr std::string_view PickleName = "data.pkl";
constexpr uint64_t MaxPickleBytes = uint64_t{256} << 20;
/// What views that cannot stay in their storage may take, besides twice the file's size.
constexpr uint64_t SpareBytes = uint64_t{16} << 20;

/// The folder of an entry FOLDER/data.pkl, with the slash; empty for any other entry.
std::string_view pickleFolder(const ZipEntry &Entry) {
  size_t Slash = Entry.Name.find('/');
  if (Slash == std::string::npos || std::string_view(Entry.Name).substr(Slash + 1) != PickleName)
    return {};
  return std::string_view(Entry.Name).substr(0, Slash + 1);
}

std::string findFolder(const ZipArchive &Archive) {
  std::string_view Found;
  for (const ZipEntry &Entry : Archive.entries()) {
    std::string_view Folder = pickleFolder(Entry);
    if (!Folder.empty() && !Found.empty())
      refuse("has two entries " + std::string(PickleName) + ", in " + quoteText(Found) + " and " +
             quoteText(Folder));
    if (!Folder.empty())
      Found = Folder;
  }
  return std::string(Found);
}

/// PyTorch before 2.1 did not write the byte order; it was always little-endian.
void checkByteOrder(const ZipArchive &Archive, const std::string &Folder) {
  constexpr std::string_view Little = "little";
  const ZipEntry *Entry = Archive.find(Folder + "byteorder");
  if (!Entry)
    return;
  char Text[16] = {};
  if (Entry->Size <= sizeof(Text))
    Archive.read(*Entry, Text);
  std::string_view Found(Text, std::min<uint64_t>(Entry->Size, sizeof(Text)));
  if (Found != Little)
    refuse("its byte order is " + quoteText(Found) + ", expected 'little'");
}

TorchState readState(const ZipArchive &Archive, std::string_view TensorName) {
  std::string Folder = findFolder(Archive);
  checkByteOrder(Archive, Folder);
  const ZipEntry &Entry = *Archive.find(Folder + std::string(PickleName));
  if (Entry.Size > MaxPickleBytes)
    refuse("its " + std::string(PickleName) + " has " + std::to_string(Entry.Size) +
           " bytes, expected at most " + std::to_string(MaxPickleBytes));
  std::string Bytes(Entry.Size, '\0');
  Archive.read(Entry, Bytes.data());
  Pickle State(Bytes);
  return readTorchState(State, Archive, Folder, TensorName);
}

bool isDense(const attune_tensor &Tensor, const attune_tensor &Dense) {
  for (int32_t I = 0; I < Tensor.rank; ++I)
    if (Tensor.sizes[I] != 1 && Tensor.strides[I] != Dense.strides[I])
      return false;
  return true;
}

/// Gives tensors their data, storage by storage.
class Placement {
public:
  Placement(const ZipArchive &Archive, FileData &Data)
      : Archive(Archive), Data(Data), Budget(2 * Archive.source().size() + SpareBytes) {}

  /// Reads a storage and places its views.
  void placeStorage(const TorchStorage &Storage, std::span<const TorchView> Views);

private:
  bool placeView(const TorchView &View, std::byte *Storage);

  const ZipArchive &Archive;
  FileData &Data;
  uint64_t Budget; ///< For copies, so that many views of one storage cannot take any memory.
};

void Placement::placeStorage(const TorchStorage &Storage, std::span<const TorchView> Views) {
  AlignedBlock Block = allocateAligned(Storage.Entry->Size);
  Archive.read(*Storage.Entry, Block.get());
  checkBooleans(Storage.Dtype, Block.get(), Storage.Entry->Size,
                "storage " + quoteText(Storage.Entry->Name));
  bool Used = false;
  for (const TorchView &View : Views)
    Used |= placeView(View, Block.get());
  if (Used)
    Data.Blocks.push_back(std::move(Block));
}

/// Places one tensor; gives whether it lies in \p Storage. Others are copied, and made dense.
/// Strides that repeat elements can describe a tensor of any size; the budget refuses the ones that
/// are too large.
bool Placement::placeView(const TorchView &View, std::byte *Storage) {
  attune_tensor &Tensor = Data.Tensors[View.Tensor].Tensor;
  attune_tensor Dense = attune_dense_tensor(nullptr, Tensor.dtype, Tensor.rank, Tensor.sizes);
  uint64_t Begin = View.Offset * attune_dtype_size(Tensor.dtype), Bytes = 0;
  denseBytes(Tensor.dtype, Tensor.rank, Tensor.sizes, Bytes);
  if (Bytes == 0) {
    Tensor = Dense;
    return false;
  }
  Tensor.data = Storage + Begin;
  if (Begin % ATTUNE_ALIGNMENT == 0 && isDense(Tensor, Dense)) {
    Dense.data = Tensor.data;
    Tensor = Dense;
    return true;
  }
  if (roundUp(Bytes) > Budget)
    refuse("tensor " + quoteText(Data.Tensors[View.Tensor].Name) +
           ": dense copies of views like this one would take more than twice the file's size");
  Budget -= roundUp(Bytes);
  std::byte *Copy = Data.Blocks.emplace_back(allocateAligned(Bytes)).get();
  copyDense(Tensor, Copy);
  Tensor = Dense;
  Tensor.data = Copy;
  return false;
}

} // namespace

bool isTorchArchive(const ZipArchive &Archive) {
  return std::any_of(Archive.entries().begin(), Archive.entries().end(),
                     [](const ZipEntry &Entry) { return !pickleFolder(Entry).empty(); });
}

FileData readTorchFile(const ZipArchive &Archive, std::string_view TensorName) {
  TorchState State = readState(Archive, TensorName);
  FileData Data;
  Data.Tensors = std::move(State.Tensors);
  std::sort(State.Views.begin(), State.Views.end(), [](const TorchView &A, const TorchView &B) {
    return std::pair(A.Storage, A.Tensor) < std::pair(B.Storage, B.Tensor);
  });
  Placement Place(Archive, Data);
  std::span<const TorchView> Rest = State.Views;
  while (!Rest.empty()) {
    uint32_t Storage = Rest[0].Storage;
    size_t Count = 0;
    while (Count < Rest.size() && Rest[Count].Storage == Storage)
      ++Count;
    Place.placeStorage(State.Storages[Storage], Rest.first(Count));
    Rest = Rest.subspan(Count);
  }
  return Data;
}

} // namespace attune::runtime
