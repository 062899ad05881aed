//===- torch_state.cpp - The tensors that a pickle describes ----------------------------------===//

#include "torch_state.h"

#include "tensor_file_text.h"

#include <algorithm>
#include <map>

namespace attune::runtime {
namespace {

// Bounds of time and memory, because a dict can occur in many others, and even in itself.
constexpr size_t MaxTensors = size_t{1} << 16, MaxVisits = size_t{1} << 18, MaxDepth = 32,
                 MaxNameBytes = 4096, MaxAllNameBytes = size_t{8} << 20, MaxKeyBytes = 64;

class StateReader {
public:
  StateReader(const Pickle &From, const ZipArchive &Archive, const std::string &Folder)
      : From(From), Archive(Archive), Folder(Folder) {}

  void readDict(const PickleValue &Dict, const std::string &Prefix, size_t Depth);
  void readTensor(std::string Name, const PickleValue &Tensor);

  TorchState State;

private:
  std::string keyText(const PickleValue &Key, const std::string &Prefix) const;
  uint32_t findStorage(const PickleValue &Storage);
  void readShape(const PickleValue &Sizes, const PickleValue &Strides, attune_tensor &Tensor) const;
  void readView(std::span<const PickleValue> Arguments, attune_tensor &Tensor, TorchView &View);

  const Pickle &From;
  const ZipArchive &Archive;
  const std::string &Folder;
  std::map<std::string_view, uint32_t> ByKey; ///< Storages.
  size_t Visits = 0;
  size_t AllNameBytes = 0;
};

std::string StateReader::keyText(const PickleValue &Key, const std::string &Prefix) const {
  std::string_view Text;
  if (Key.Is == PickleValue::Int)
    return std::to_string(Key.Value);
  if (Key.Is == PickleValue::String)
    Text = From.text(Key);
  else
    refuse("a key in " + (Prefix.empty() ? "the outermost dict" : quoteText(Prefix)) + " is a " +
           pickleKindName(Key.Is) + ", expected a text or a number");
  if (Prefix.size() + Text.size() > MaxNameBytes)
    refuse("the name " + quoteText(Prefix + std::string(Text.substr(0, MaxNameBytes))) +
           " is longer than " + std::to_string(MaxNameBytes) + " bytes");
  checkName("name", Text);
  return std::string(Text);
}

void StateReader::readDict(const PickleValue &Dict, const std::string &Prefix, size_t Depth) {
  if (Depth > MaxDepth)
    refuse("dicts are nested more than " + std::to_string(MaxDepth) + " deep");
  From.forEachItem(Dict, [&](const PickleItem &Item) {
    if (++Visits > MaxVisits)
      refuse("has more than " + std::to_string(MaxVisits) + " tensors and dicts");
    std::string Name = Prefix + keyText(Item.Key, Prefix);
    if (Item.Value.Is == PickleValue::Dict)
      readDict(Item.Value, Name + ".", Depth + 1);
    else
      readTensor(std::move(Name), Item.Value);
  });
}

void StateReader::readTensor(std::string Name, const PickleValue &Tensor) {
  AllNameBytes += Name.size();
  if (State.Tensors.size() == MaxTensors || AllNameBytes > MaxAllNameBytes)
    refuse("has more than " + std::to_string(MaxTensors) + " tensors, or names of more than " +
           std::to_string(MaxAllNameBytes) + " bytes");
  FileTensor &New = State.Tensors.emplace_back(std::move(Name), attune_tensor{});
  TorchView View = {};
  View.Tensor = static_cast<uint32_t>(State.Tensors.size() - 1);
  try {
    readView(From.elements(Tensor), New.Tensor, View);
  } catch (FileError &Error) {
    Error.Text = "tensor " + quoteText(New.Name) + ": " + Error.Text;
    throw;
  }
  State.Views.push_back(View);
}

void require(const PickleValue &Given, PickleValue::Kind Kind, const char *What) {
  if (Given.Is != Kind)
    refuse(std::string(What) + " is a " + pickleKindName(Given.Is) + ", expected a " +
           pickleKindName(Kind));
}

/// Finds what a persistent id names: ('storage', type, key, device, number of elements).
uint32_t StateReader::findStorage(const PickleValue &Storage) {
  require(Storage, PickleValue::Storage, "its storage");
  std::span<const PickleValue> Id = From.elements(Storage);
  attune_dtype Dtype;
  if (Id.size() != 5 || Id[0].Is != PickleValue::String || From.text(Id[0]) != "storage" ||
      !From.storageDtype(Id[1], Dtype) || Id[2].Is != PickleValue::String ||
      Id[3].Is != PickleValue::String || Id[4].Is != PickleValue::Int)
    refuse("its storage is not ('storage', type, key, device, number of elements)");
  std::string_view Key = From.text(Id[2]);
  if (Key.size() > MaxKeyBytes)
    refuse("the key of its storage is longer than " + std::to_string(MaxKeyBytes) + " bytes");
  const ZipEntry *Entry = Archive.find(Folder + "data/" + std::string(Key));
  if (!Entry)
    refuse("its storage " + quoteText(Key) + " is missing in the archive");
  uint64_t Bytes;
  if (!denseBytes(Dtype, 1, &Id[4].Value, Bytes) || Bytes != Entry->Size)
    refuse("its storage " + quoteText(Key) + " should have " + std::to_string(Id[4].Value) +
           " elements of " + std::to_string(attune_dtype_size(Dtype)) + " bytes, but has " +
           std::to_string(Entry->Size) + " bytes");
  auto [Found, New] = ByKey.try_emplace(Key, static_cast<uint32_t>(State.Storages.size()));
  if (New)
    State.Storages.push_back({Entry, Dtype});
  if (State.Storages[Found->second].Dtype != Dtype)
    refuse("its storage " + quoteText(Key) + " is also used with another element type");
  return Found->second;
}

void StateReader::readShape(const PickleValue &Sizes, const PickleValue &Strides,
                            attune_tensor &Tensor) const {
  require(Sizes, PickleValue::Tuple, "its shape");
  require(Strides, PickleValue::Tuple, "what holds its strides");
  if (Sizes.Count != Strides.Count)
    refuse("has " + std::to_string(Sizes.Count) + " sizes, but " + std::to_string(Strides.Count) +
           " strides");
  if (Sizes.Count > ATTUNE_MAX_RANK)
    refuse("has more than " + std::to_string(ATTUNE_MAX_RANK) + " dimensions");
  Tensor.rank = static_cast<int32_t>(Sizes.Count);
  for (size_t I = 0; I < Sizes.Count; ++I) {
    const PickleValue &Size = From.elements(Sizes)[I], &Stride = From.elements(Strides)[I];
    require(Size, PickleValue::Int, "a size");
    require(Stride, PickleValue::Int, "a stride");
    if (Size.Value < 0 || Stride.Value < 0)
      refuse("a size or a stride is negative");
    Tensor.sizes[I] = Size.Value;
    Tensor.strides[I] = Stride.Value;
  }
}

/// Reads the arguments of _rebuild_tensor_v2: storage, offset, sizes, strides, and two without
/// interest. Checks that every element lies in the storage.
void StateReader::readView(std::span<const PickleValue> Arguments, attune_tensor &Tensor,
                           TorchView &View) {
  View.Storage = findStorage(Arguments[0]);
  const TorchStorage &Storage = State.Storages[View.Storage];
  Tensor.dtype = Storage.Dtype;
  require(Arguments[1], PickleValue::Int, "its offset");
  readShape(Arguments[2], Arguments[3], Tensor);
  uint64_t Bytes;
  if (!denseBytes(Tensor.dtype, Tensor.rank, Tensor.sizes, Bytes))
    refuse("the product of its sizes is too large");
  int64_t Offset = Arguments[1].Value, Last = Bytes > 0 ? 0 : -1;
  bool Good = Offset >= 0;
  for (int32_t I = 0; I < Tensor.rank && Bytes > 0; ++I) {
    int64_t Distance;
    Good = Good && !__builtin_mul_overflow(Tensor.sizes[I] - 1, Tensor.strides[I], &Distance) &&
           !__builtin_add_overflow(Last, Distance, &Last);
  }
  int64_t End;
  auto Elements = static_cast<int64_t>(Storage.Entry->Size / attune_dtype_size(Tensor.dtype));
  if (!Good || __builtin_add_overflow(Last, 1, &End) || __builtin_add_overflow(End, Offset, &End) ||
      End > Elements)
    refuse("its elements do not all lie in its storage of " + std::to_string(Elements) +
           " elements");
  View.Offset = static_cast<uint64_t>(Offset);
}

} // namespace

TorchState readTorchState(const Pickle &From, const ZipArchive &Archive, const std::string &Folder,
                          std::string_view TensorName) {
  StateReader Reader(From, Archive, Folder);
  if (From.root().Is == PickleValue::Dict)
    Reader.readDict(From.root(), "", 0);
  else if (From.root().Is == PickleValue::Tensor)
    Reader.readTensor(std::string(TensorName), From.root());
  else
    refuse(std::string("holds a ") + pickleKindName(From.root().Is) +
           ", expected a dict of tensors: torch.save(model.state_dict(), file)");
  return std::move(Reader.State);
}

} // namespace attune::runtime
