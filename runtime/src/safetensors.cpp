//===- safetensors.cpp - Reading .safetensors files -------------------------------------------===//

#include "safetensors.h"

#include "safetensors_header.h"
#include "tensor_file_text.h"

namespace attune::runtime {
namespace {

constexpr uint64_t LengthBytes = 8; ///< Of the header's length, which a file starts with.

/// Reads the header; \p DataStart becomes the offset of what follows it.
std::vector<TensorEntry> readHeader(const Source &From, uint64_t &DataStart) {
  if (From.size() < LengthBytes)
    refuse("has " + std::to_string(From.size()) + " bytes, expected 8 or more");
  unsigned char LengthField[LengthBytes];
  From.read(0, LengthField, LengthBytes);
  uint64_t Length = loadLittleEndian(LengthField, LengthBytes);
  // Any other kind of file ends up here, too.
  if (Length > MaxHeaderBytes)
    refuse("the header's length is " + std::to_string(Length) + ", expected at most " +
           std::to_string(MaxHeaderBytes) +
           " (.safetensors), and it does not start like .npy, .npz or .pt");
  if (Length > From.size() - LengthBytes)
    refuse("the header's length is " + std::to_string(Length) + ", but only " +
           std::to_string(From.size() - LengthBytes) + " bytes follow");
  std::string Header(Length, '\0');
  From.read(LengthBytes, Header.data(), Length);
  DataStart = LengthBytes + Length;
  std::vector<TensorEntry> Entries;
  if (std::string Problem = parseHeader(Header, From.size() - DataStart, Entries); !Problem.empty())
    refuse(std::move(Problem));
  return Entries;
}

} // namespace

FileData readSafetensors(const Source &From) {
  uint64_t DataStart = 0;
  std::vector<TensorEntry> Entries = readHeader(From, DataStart);
  uint64_t Total = 0;
  for (const TensorEntry &Entry : Entries)
    Total += roundUp(Entry.End - Entry.Begin);
  FileData Data;
  std::byte *Target = Data.Blocks.emplace_back(allocateAligned(Total)).get();
  Data.Tensors.reserve(Entries.size());
  for (TensorEntry &Entry : Entries) {
    uint64_t Bytes = Entry.End - Entry.Begin;
    From.read(DataStart + Entry.Begin, Target, Bytes);
    checkBooleans(Entry.Dtype, Target, Bytes, "tensor " + quoteText(Entry.Name));
    attune_tensor Tensor =
        attune_dense_tensor(Bytes > 0 ? Target : nullptr, Entry.Dtype, Entry.Rank, Entry.Sizes);
    Data.Tensors.push_back({std::move(Entry.Name), Tensor});
    Target += roundUp(Bytes);
  }
  return Data;
}

} // namespace attune::runtime
