//===- npy.cpp - Reading NumPy's .npy and .npz files ------------------------------------------===//

#include "npy.h"

#include "npy_header.h"
#include "tensor_file_text.h"

#include <algorithm>
#include <cstring>

namespace attune::runtime {
namespace {

constexpr std::string_view Suffix = ".npy";
constexpr uint64_t MaxNpyHeader = uint64_t{1} << 16;

/// Makes the array of \p Dtype and \p Sizes at \p Raw dense in row-major order.
attune_tensor placeArray(const NpyHeader &Header, AlignedBlock Raw, uint64_t Bytes,
                         FileData &Data) {
  attune_tensor Dense = attune_dense_tensor(nullptr, Header.Dtype, Header.Rank, Header.Sizes);
  if (Bytes == 0)
    return Dense;
  if (Header.FortranOrder && Header.Rank > 1) {
    attune_tensor Given = Dense;
    Given.data = Raw.get();
    for (int64_t I = 0, Stride = 1; I < Header.Rank; Stride *= Header.Sizes[I++])
      Given.strides[I] = Stride;
    AlignedBlock Transposed = allocateAligned(Bytes);
    copyDense(Given, Transposed.get());
    Raw = std::move(Transposed);
  }
  Dense.data = Raw.get();
  Data.Blocks.push_back(std::move(Raw));
  return Dense;
}

/// Reads the bytes of a .npy file in their order.
attune_tensor readArray(ByteReader &Reader, FileData &Data) {
  constexpr size_t MagicBytes = 6, VersionBytes = 2;
  char Start[MagicBytes + VersionBytes];
  Reader.read(Start, sizeof(Start));
  if (std::memcmp(Start, "\x93NUMPY", MagicBytes) != 0)
    refuse("does not start like a .npy file");
  int Major = Start[MagicBytes], Minor = Start[MagicBytes + 1];
  if (Major < 1 || Major > 3 || Minor != 0)
    refuse("the .npy version is " + std::to_string(Major & 0xff) + "." +
           std::to_string(Minor & 0xff) + ", expected 1.0, 2.0 or 3.0");
  size_t LengthBytes = Major == 1 ? 2 : 4;
  char LengthField[4];
  Reader.read(LengthField, LengthBytes);
  uint64_t Length = loadLittleEndian(LengthField, LengthBytes);
  if (Length > MaxNpyHeader)
    refuse("the header's length is " + std::to_string(Length) + ", expected at most " +
           std::to_string(MaxNpyHeader));
  std::string Text(std::min(Length, Reader.remaining()), '\0');
  if (Text.size() < Length)
    refuse("the header's length is " + std::to_string(Length) + ", but only " +
           std::to_string(Text.size()) + " bytes follow");
  Reader.read(Text.data(), Length);
  NpyHeader Header = parseNpyHeader(Text);
  uint64_t Bytes;
  if (!denseBytes(Header.Dtype, Header.Rank, Header.Sizes, Bytes))
    refuse("the product of the sizes in shape is too large");
  if (Bytes != Reader.remaining())
    refuse("has " + std::to_string(Reader.remaining()) + " bytes of data, expected " +
           std::to_string(Bytes) + " for its shape");
  AlignedBlock Raw = allocateAligned(Bytes);
  Reader.read(Raw.get(), Bytes);
  checkBooleans(Header.Dtype, Raw.get(), Bytes, "the array");
  return placeArray(Header, std::move(Raw), Bytes, Data);
}

} // namespace

FileData readNpy(const Source &From, std::string_view Name) {
  FileData Data;
  ByteReader Reader(From, 0, From.size());
  Data.Tensors.push_back({std::string(Name), readArray(Reader, Data)});
  return Data;
}

FileData readNpz(const ZipArchive &Archive) {
  FileData Data;
  Data.Tensors.reserve(Archive.entries().size());
  for (const ZipEntry &Entry : Archive.entries()) {
    std::string_view Name = Entry.Name;
    if (!Name.ends_with(Suffix))
      refuse("entry " + quoteText(Name) +
             " does not belong into a .npz or .pt file: expected .npy files or one data.pkl");
    try {
      ByteReader Reader = Archive.open(Entry);
      Data.Tensors.push_back(
          {std::string(Name.substr(0, Name.size() - Suffix.size())), readArray(Reader, Data)});
      Archive.verify(Entry, Reader.checksum());
    } catch (FileError &Error) {
      Error.Text = "entry " + quoteText(Name) + ": " + Error.Text;
      throw;
    }
  }
  return Data;
}

} // namespace attune::runtime
