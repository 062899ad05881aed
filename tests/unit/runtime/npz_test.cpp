#include "tensor_file_helpers.h"

#include <gtest/gtest.h>

using namespace attune::test;

namespace {

std::string arrayOf(const std::vector<float> &Values) {
  return npyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                     std::to_string(Values.size()) + ",), }",
                 bytesOf(Values));
}

const std::vector<float> First = {1, 2, 3}, Second = {4, 5};

ZipFile validFile() { return ZipFile({{"a.npy", arrayOf(First)}, {"b/c.npy", arrayOf(Second)}}); }

/// One array as numpy.savez writes it: the local header's sizes are in a zip64 extra field; when
/// it cannot seek in what it writes, a data descriptor follows.
std::string numpyFile(bool Seekable) {
  ZipFile Plain({{"a.npy", arrayOf(First)}});
  std::string Checksum = Plain.Bytes.substr(14, 4), Size = Plain.Bytes.substr(18, 4) + little(0, 4);
  std::string Zeros(8, '\0'), Flags = little(Seekable ? 0 : 8, 2);
  std::string Header = "PK\3\4" + little(45, 2) + Flags + little(0, 6) +
                       (Seekable ? Checksum : little(0, 4)) + "\xff\xff\xff\xff\xff\xff\xff\xff" +
                       little(5, 2) + little(20, 2) + "a.npy" + little(1, 2) + little(16, 2) +
                       (Seekable ? Size + Size : Zeros + Zeros);
  std::string Body = Header + arrayOf(First);
  if (!Seekable)
    Body += "PK\7\10" + Checksum + Size + Size;
  std::string Tail = Plain.Bytes.substr(Plain.Central[0]);
  Tail = patched(Tail, 8, Flags);
  return Body + patched(Tail, Tail.size() - 6, little(Body.size(), 4));
}

/// One array as PyTorch writes entries of 4 GB and more: all sizes are in zip64 extra fields, and
/// again in a data descriptor.
std::string pytorchLargeFile() {
  ZipFile Plain({{"a.npy", arrayOf(First)}});
  std::string Checksum = Plain.Bytes.substr(14, 4), Size = Plain.Bytes.substr(18, 4) + little(0, 4);
  std::string Sizes = little(1, 2) + little(16, 2) + Size + Size;
  std::string Body = "PK\3\4" + little(0, 2) + little(8, 2) + little(0, 18) + little(5, 2) +
                     little(20, 2) + "a.npy" + Sizes + arrayOf(First) + "PK\7\10" + Checksum +
                     Size + Size;
  std::string Directory = "PK\1\2" + little(0, 4) + little(8, 2) + little(0, 6) + Checksum +
                          "\xff\xff\xff\xff\xff\xff\xff\xff" + little(5, 2) + little(28, 2) +
                          little(0, 10) +
                          "\xff\xff\xff\xff"
                          "a.npy" +
                          little(1, 2) + little(24, 2) + Size + Size + little(0, 8);
  return Body + Directory + "PK\5\6" + little(0, 4) + little(1, 2) + little(1, 2) +
         little(Directory.size(), 4) + little(Body.size(), 4) + little(0, 2);
}

/// Adds zip64 end records to a file.
std::string withZip64(const ZipFile &File) {
  size_t Begin = File.Central[0];
  std::string Numbers = little(File.Central.size(), 8) + little(File.Central.size(), 8) +
                        little(File.End - Begin, 8) + little(Begin, 8);
  return File.Bytes.substr(0, File.End) + "PK\6\6" + little(44, 8) + little(45, 2) + little(45, 2) +
         little(0, 8) + Numbers + "PK\6\7" + little(0, 4) + little(File.End, 8) + little(1, 4) +
         File.Bytes.substr(File.End);
}

void expectValid(const std::string &Bytes) {
  ParsedFile Parsed(Bytes);
  EXPECT_EQ(Parsed.Message, "");
  EXPECT_EQ(Parsed.names(), (std::vector<std::string>{"a", "b/c"}));
  EXPECT_EQ(Parsed.values<float>("a"), First);
  EXPECT_EQ(Parsed.values<float>("b/c"), Second);
}

std::vector<Malformed> malformedFiles() {
  ZipFile File = validFile();
  std::string Bytes = File.Bytes;
  size_t A = File.Central[0], B = File.Central[1];
  auto Both = [&](size_t InLocal, size_t InCentral, const std::string &New) {
    return patched(patched(Bytes, InLocal, New), A + InCentral, New);
  };
  auto WithExtra = [&](const std::string &Extra) {
    std::string New = patched(Bytes, File.End + 12, little(File.End + Extra.size() - A, 4));
    return patched(New, B + 30, little(Extra.size(), 2)).insert(File.End, Extra);
  };
  std::string Zip64 = withZip64(File);
  size_t Record = File.End, Locator = Record + 56, End = Locator + 20;
  return {
      {"no end record", Bytes.substr(0, File.End), "end record of a zip archive"},
      {"bytes before", "PK\3\4" + Bytes, "expected to end at byte"},
      {"bytes behind", Bytes + "x", "something follows it"},
      {"comment", patched(Bytes, File.End + 20, little(1, 2)) + "x", "end record"},
      {"comment length", patched(Bytes, File.End + 20, little(1, 2)), "has a comment"},
      {"several disks", patched(Bytes, File.End + 4, little(1, 2)), "several disks"},
      {"directory elsewhere", patched(Bytes, File.End + 16, little(A - 1, 4)), "expected to end"},
      {"directory beyond the file", patched(Bytes, File.End + 16, "\xff\xff\xff\x7f"),
       "expected to end"},
      {"too many entries", patched(Bytes, File.End + 8, little(3, 2) + little(3, 2)),
       "claims 3 entries"},
      {"too few entries", patched(Bytes, File.End + 8, little(1, 2) + little(1, 2)), "left over"},
      {"directory's signature", patched(Bytes, B, "XX"), "record 1 of the zip archive's"},
      {"name beyond the directory", patched(Bytes, B + 28, little(8, 2)), "cut off"},
      {"extra beyond the directory", patched(Bytes, B + 30, little(1, 2)), "cut off"},
      {"encrypted", Both(6, 8, little(1, 2)), "'a.npy': is encrypted"},
      {"strongly encrypted", Both(6, 8, little(64, 2)), "'a.npy': is encrypted"},
      {"unknown flags", Both(6, 8, little(16, 2)), "its flags are 16"},
      {"compressed", Both(8, 10, little(8, 2)), "numpy.savez, not numpy.savez_compressed"},
      {"compressed in the header alone", patched(Bytes, 8, little(8, 2)), "directory differ"},
      {"null in a name", Both(30, 46, std::string(1, '\0')), "null character"},
      {"name that is not UTF-8", Both(30, 46, "\xff"), "is not UTF-8"},
      {"names differ", patched(Bytes, 30, "x"), "'a.npy': its header and the directory differ"},
      {"flags differ", patched(Bytes, 6, little(2048, 2)), "directory differ"},
      {"checksums differ", patched(Bytes, 14, "XXXX"), "directory differ"},
      {"sizes differ", patched(Bytes, 22, little(1, 4)), "directory differ"},
      {"stored sizes differ", patched(Bytes, 18, little(1, 4)), "directory differ"},
      {"header's signature", patched(Bytes, File.Local[1], "XX"), "directory differ"},
      {"two sizes", patched(Bytes, A + 20, little(1, 4)), "its sizes differ"},
      {"another disk", patched(Bytes, A + 34, little(1, 2)), "another disk"},
      {"smaller than its place", Both(18, 20, little(100, 4) + little(100, 4)), "(a hole)"},
      {"larger than its place", Both(18, 20, little(999, 4) + little(999, 4)), "data overlap"},
      {"entries overlap", patched(Bytes, B + 42, little(5, 4)), "overlap"},
      {"entries are the same", patched(Bytes, B + 42, little(0, 4)), "header overlaps"},
      {"entry in the directory", patched(Bytes, B + 42, little(A + 1, 4)), "behind the directory"},
      {"hole at the start", patched(Bytes, A + 42, little(1, 4)), "expected 0 (a hole)"},
      {"descriptor missing", Both(6, 8, little(8, 2)), "0 unexpected bytes follow"},
      {"extra field cut off", WithExtra("abc"), "extra field is cut off"},
      {"extra field too long", WithExtra(std::string("\2\0\5\0abcd", 8)), "extra field is cut off"},
      {"second name", WithExtra(std::string("\x75\x70\1\0a", 5)), "gives it another name"},
      {"two zip64 fields", WithExtra(std::string("\1\0\1\0a\1\0\1\0a", 10)), "two zip64"},
      {"no zip64 field", patched(Bytes, A + 24, "\xff\xff\xff\xff"),
       "zip64 extra field is missing"},
      {"damaged data", patched(Bytes, File.Data[0] + 130, "X"), "checksum of its data is wrong"},
      {"name twice", ZipFile({{"a.npy", arrayOf(First)}, {"a.npy", arrayOf(First)}}).Bytes,
       "zip entry 'a.npy': occurs twice"},
      {"another entry", ZipFile({{"a.npy", arrayOf(First)}, {"x.txt", ""}}).Bytes, "'x.txt'"},
      {"entry that is no .npy", ZipFile({{"a.npy", "12345678"}}).Bytes,
       "entry 'a.npy': does not start like a .npy file"},
      {"empty entry", ZipFile({{"a.npy", ""}}).Bytes, "entry 'a.npy': ends too early"},
      {"malformed entry", ZipFile({{"a.npy", npyFile("{}", "")}}).Bytes,
       "entry 'a.npy': the header lacks descr"},
      {"zip64 locator", patched(Zip64, Locator + 8, little(1, 8)), "contradict"},
      {"zip64 signature", patched(Zip64, Record, "XX"), "contradict"},
      {"zip64 record's size", patched(Zip64, Record + 4, little(45, 8)), "contradict"},
      {"zip64 count", patched(Zip64, Record + 24, little(3, 8) + little(3, 8)), "contradict"},
      {"zip64 begin", patched(Zip64, Record + 48, little(1, 8)), "contradict"},
      {"zip64 huge count",
       patched(
           patched(Zip64, Record + 24, little(uint64_t{1} << 62, 8) + little(uint64_t{1} << 62, 8)),
           End + 8, "\xff\xff\xff\xff"),
       "claims 4611686018427387904 entries"},
  };
}

} // namespace

TEST(Npz, EntriesAreTensors) { expectValid(validFile().Bytes); }

TEST(Npz, AFileWithoutArrays) {
  ParsedFile Parsed(ZipFile({}).Bytes);
  EXPECT_EQ(Parsed.Status, ATTUNE_OK) << Parsed.Message;
  EXPECT_TRUE(Parsed.names().empty());
}

TEST(Npz, Zip64EndRecords) {
  ZipFile File = validFile();
  expectValid(withZip64(File));
  // Numbers that are too large for the old record, as far as that says.
  expectValid(patched(withZip64(File), File.End + 76 + 8, "\xff\xff\xff\xff\xff\xff\xff\xff"));
}

TEST(Npz, AsNumpyWritesIt) {
  for (bool Seekable : {true, false}) {
    ParsedFile Parsed(numpyFile(Seekable));
    EXPECT_EQ(Parsed.Message, "");
    EXPECT_EQ(Parsed.values<float>("a"), First) << Seekable;
  }
}

TEST(Npz, AsPyTorchWritesLargeAndEmptyEntries) {
  ParsedFile Large(pytorchLargeFile());
  EXPECT_EQ(Large.Message, "");
  EXPECT_EQ(Large.values<float>("a"), First);
  // A descriptor is announced, but none follows an entry without data.
  ZipFile Empty({{"x/data.pkl", "\x80\2}."}, {"x/data/0", ""}});
  std::string Bytes = patched(Empty.Bytes, Empty.Local[1] + 6, little(8, 2));
  ParsedFile File(patched(Bytes, Empty.Central[1] + 8, little(8, 2)));
  EXPECT_EQ(File.Status, ATTUNE_OK) << File.Message;
}

class NpzWith : public testing::TestWithParam<Malformed> {};

TEST_P(NpzWith, IsRefused) { expectRefused(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Each, NpzWith, testing::ValuesIn(malformedFiles()), rowName);

TEST(MalformedNpz, Mutants) {
  for (const std::string &Bytes : {validFile().Bytes, withZip64(validFile()), numpyFile(true),
                                   numpyFile(false), pytorchLargeFile()}) {
    expectCutsAreRefused(Bytes);
    expectFlipsAreSafe(Bytes, 0, Bytes.size());
  }
}

TEST(MalformedNpz, DamagedDataIsAlwaysFound) {
  ZipFile File = validFile();
  for (size_t I = File.Data[0]; I < File.Local[1]; ++I)
    EXPECT_EQ(
        parseAndTouch(patched(File.Bytes, I, std::string(1, static_cast<char>(~File.Bytes[I])))),
        ATTUNE_BAD_FILE)
        << I;
}
