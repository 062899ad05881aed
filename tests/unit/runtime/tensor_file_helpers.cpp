#include "tensor_file_helpers.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <sstream>

namespace attune::test {

ParsedFile::ParsedFile(const std::string &Bytes, const char *Name) {
  std::unique_ptr<char[]> Copy(new char[Bytes.size()]);
  std::memcpy(Copy.get(), Bytes.data(), Bytes.size());
  Status = attune_tensor_file_parse(Copy.get(), Bytes.size(), Name, &File);
  if (Status != ATTUNE_OK)
    Message = attune_last_error();
}

std::vector<std::string> ParsedFile::names() const {
  std::vector<std::string> Names;
  for (size_t I = 0; I < attune_tensor_file_count(File); ++I)
    Names.push_back(attune_tensor_file_name(File, I));
  return Names;
}

attune_tensor ParsedFile::get(const std::string &Name) const {
  attune_tensor Tensor = {};
  EXPECT_EQ(attune_tensor_file_get(File, Name.c_str(), &Tensor), ATTUNE_OK)
      << Message << attune_last_error();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(Tensor.data) % ATTUNE_ALIGNMENT, 0u) << Name;
  return Tensor;
}

std::string ParsedFile::denseBytes(const attune_tensor &Tensor) {
  constexpr int64_t Most = 1 << 20; // Mutants of small files have no more.
  int64_t Count = 1;
  for (int32_t I = 0; I < Tensor.rank; ++I) {
    EXPECT_GE(Tensor.sizes[I], 0);
    if (__builtin_mul_overflow(Count, Tensor.sizes[I], &Count) || Count > Most) {
      ADD_FAILURE() << "too many elements";
      return {};
    }
  }
  size_t Size = attune_dtype_size(Tensor.dtype);
  if (Count > 0 && !Tensor.data) {
    ADD_FAILURE() << "no data";
    return {};
  }
  std::string Bytes;
  for (int64_t I = 0; I < Count; ++I) {
    int64_t Rest = I, Offset = 0;
    for (int32_t K = Tensor.rank - 1; K >= 0; Rest /= Tensor.sizes[K--])
      Offset += Rest % Tensor.sizes[K] * Tensor.strides[K];
    Bytes.append(static_cast<const char *>(Tensor.data) + Offset * static_cast<int64_t>(Size),
                 Size);
  }
  return Bytes;
}

attune_status parseAndTouch(const std::string &Bytes) {
  ParsedFile Parsed(Bytes);
  if (Parsed.Status != ATTUNE_OK) {
    EXPECT_EQ(Parsed.File, nullptr);
    EXPECT_NE(Parsed.Message, "");
    return Parsed.Status;
  }
  size_t Total = 0;
  for (const std::string &Name : Parsed.names())
    Total += ParsedFile::denseBytes(Parsed.get(Name)).size();
  EXPECT_LE(Total, 64 * Bytes.size());
  return ATTUNE_OK;
}

void expectCutsAreRefused(const std::string &Bytes) {
  for (size_t Length = 0; Length < Bytes.size(); ++Length)
    ASSERT_EQ(parseAndTouch(Bytes.substr(0, Length)), ATTUNE_BAD_FILE) << Length;
}

void expectFlipsAreSafe(const std::string &Bytes, size_t Begin, size_t End,
                        const std::function<std::string(const std::string &)> &Rebuild) {
  for (size_t Bit = 8 * Begin; Bit < 8 * End; ++Bit) {
    std::string Flipped = Bytes;
    Flipped[Bit / 8] = static_cast<char>(Flipped[Bit / 8] ^ (1 << Bit % 8));
    attune_status Status = parseAndTouch(Rebuild(Flipped));
    ASSERT_TRUE(Status == ATTUNE_OK || Status == ATTUNE_BAD_FILE) << Bit;
  }
}

void expectRefused(const Malformed &Row) {
  ParsedFile Parsed(Row.Bytes);
  EXPECT_EQ(Parsed.Status, ATTUNE_BAD_FILE) << Row.What;
  EXPECT_EQ(Parsed.File, nullptr) << Row.What;
  EXPECT_EQ(Parsed.Message.rfind("dir/test.bin: ", 0), 0u) << Row.What << ": " << Parsed.Message;
  EXPECT_NE(Parsed.Message.find(Row.Text), std::string::npos) << Row.What << ": " << Parsed.Message;
}

std::string rowName(const testing::TestParamInfo<Malformed> &Info) {
  std::string Name = Info.param.What;
  std::replace_if(Name.begin(), Name.end(), [](unsigned char C) { return !std::isalnum(C); }, '_');
  return Name;
}

void PrintTo(const Malformed &Row, std::ostream *Stream) { *Stream << Row.What; }

std::string little(uint64_t Value, size_t Count) {
  std::string Bytes;
  for (size_t I = 0; I < Count; ++I, Value >>= 8)
    Bytes += static_cast<char>(Value & 0xff);
  return Bytes;
}

std::string readFile(const std::string &Path) {
  std::ifstream Stream(Path, std::ios::binary);
  EXPECT_TRUE(Stream.good()) << Path;
  std::ostringstream Text;
  Text << Stream.rdbuf();
  return Text.str();
}

std::string bytesOf(const std::vector<float> &Values) {
  return std::string(reinterpret_cast<const char *>(Values.data()), Values.size() * sizeof(float));
}

std::string patched(std::string Text, size_t Offset, const std::string &New) {
  return Text.replace(Offset, New.size(), New);
}

std::string npyFile(const std::string &Dict, const std::string &Data) {
  std::string Header = Dict;
  while ((10 + Header.size() + 1) % 64 != 0)
    Header += ' ';
  Header += '\n';
  return std::string("\x93NUMPY\1\0", 8) + little(Header.size(), 2) + Header + Data;
}

/// The checksum of a zip entry, bit by bit.
static uint32_t checksum(const std::string &Data) {
  uint32_t Crc = ~uint32_t{0};
  for (char C : Data) {
    Crc ^= static_cast<unsigned char>(C);
    for (int Bit = 0; Bit < 8; ++Bit)
      Crc = (Crc >> 1) ^ (Crc & 1 ? 0xedb88320 : 0);
  }
  return ~Crc;
}

ZipFile::ZipFile(const std::vector<Part> &Parts) {
  std::string Directory;
  for (const Part &Each : Parts) {
    Local.push_back(Bytes.size());
    // Flags, method, time, checksum, sizes: the same in both headers.
    std::string Common = little(0, 8) + little(checksum(Each.Data), 4) +
                         little(Each.Data.size(), 4) + little(Each.Data.size(), 4) +
                         little(Each.Name.size(), 2);
    Directory += "PK\1\2" + little(45, 2) + little(20, 2) + Common + little(0, 12) +
                 little(Local.back(), 4) + Each.Name;
    Bytes += "PK\3\4" + little(20, 2) + Common + little(0, 2) + Each.Name;
    Data.push_back(Bytes.size());
    Bytes += Each.Data;
  }
  size_t Begin = Bytes.size(), At = Begin;
  for (const Part &Each : Parts) {
    Central.push_back(At);
    At += 46 + Each.Name.size();
  }
  End = At;
  Bytes += Directory + "PK\5\6" + little(0, 4) + little(Parts.size(), 2) + little(Parts.size(), 2) +
           little(Directory.size(), 4) + little(Begin, 4) + little(0, 2);
}

} // namespace attune::test
