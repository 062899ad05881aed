#include "tensor_file_helpers.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace attune::test;

namespace {

const std::string ValidDict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
const std::vector<float> ValidValues = {0, 1, 2, 3, 4, 5};

std::string validFile() { return npyFile(ValidDict, bytesOf(ValidValues)); }

std::string dictOf(const std::string &Descr, const std::string &Shape,
                   const std::string &Order = "False") {
  return "{'descr': '" + Descr + "', 'fortran_order': " + Order + ", 'shape': " + Shape + ", }";
}

std::vector<Malformed> malformedFiles() {
  auto Dict = [](const std::string &Text) { return npyFile(Text, bytesOf(ValidValues)); };
  auto Shape = [](const std::string &Text) { return npyFile(dictOf("<f4", Text), ""); };
  auto Descr = [](const std::string &Text) { return npyFile(dictOf(Text, "(2,)"), ""); };
  std::string Rest = " 'fortran_order': False, 'shape': (2, 3)}";
  return {
      {"version 0", patched(validFile(), 6, std::string(1, '\0')), "version is 0.0"},
      {"version 4", patched(validFile(), 6, "\4"), "version is 4.0"},
      {"version 1.1", patched(validFile(), 7, "\1"), "version is 1.1"},
      {"header longer than file", patched(validFile(), 8, "\xff\xff"), "only"},
      {"huge header", std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12) + "{}", "at most 65536"},
      {"no dict", Dict("[]"), "expected {"},
      {"unclosed dict", Dict("{'descr': '<f4',"), "expected a string in quotes"},
      {"two dicts", Dict(ValidDict + "{}"), "newline at the end"},
      {"no newline", npyFile(ValidDict, "").substr(0, 127) + " ", "newline at the end"},
      {"comma missing", Dict("{'descr': '<f4'" + Rest), "expected a comma or }"},
      {"two commas", Dict("{'descr': '<f4',," + Rest), "expected a string in quotes"},
      {"colon missing", Dict("{'descr' '<f4'," + Rest), "expected a colon"},
      {"no descr", Dict("{" + Rest), "lacks descr"},
      {"no order", Dict("{'descr': '<f4', 'shape': (2, 3)}"), "lacks fortran_order"},
      {"no shape", Dict("{'descr': '<f4', 'fortran_order': False}"), "lacks shape"},
      {"empty dict", Dict("{}"), "lacks descr"},
      {"unknown key", Dict("{'descr': '<f4', 'x': 1," + Rest), "key 'x' is unknown"},
      {"descr twice", Dict("{'descr': '<f4', 'descr': '<f4'," + Rest), "'descr' occurs twice"},
      {"escape", Dict("{'descr': '<f\\x34'," + Rest), "without escapes"},
      {"open string", Dict("{'descr': '<f4"), "a string that ends"},
      {"big-endian", Descr(">f4"), "'>f4' is big-endian"},
      {"objects", Descr("|O"), "'|O' is not supported"},
      {"complex", Descr("<c8"), "'<c8' is not supported"},
      {"text", Descr("<U4"), "'<U4' is not supported"},
      {"no byte order", Descr("f4"), "'f4' is not supported"},
      {"empty descr", Descr(""), "'' is not supported"},
      {"structured", Dict("{'descr': [('a', '<f4')]," + Rest), "structured type"},
      {"order is a number", Dict("{'descr': '<f4', 'fortran_order': 1, 'shape': (2, 3)}"),
       "True or False"},
      {"shape is a list", Shape("[2, 3]"), "( of a tuple"},
      {"shape is a number", Shape("2"), "( of a tuple"},
      {"number in brackets", Shape("(6)"), "a tuple of one element"},
      {"lone comma", Shape("(,)"), "expected a size"},
      {"negative size", Shape("(-1,)"), "expected a size"},
      {"fraction", Shape("(1.5,)"), "expected a comma or )"},
      {"leading zero", Shape("(06,)"), "expected a size"},
      {"name as size", Shape("(x,)"), "expected a size"},
      {"size beyond 2^63", Shape("(9223372036854775808,)"), "too large"},
      {"huge size", Shape("(" + std::string(400, '9') + ",)"), "too large"},
      {"rank 7", Shape("(1, 1, 1, 1, 1, 1, 1)"), "more than 6 dimensions"},
      {"wrapped product", Shape("(4294967296, 4294967296)"), "product of the sizes"},
      {"wrapped product beside a zero", Shape("(4294967296, 4294967296, 0)"),
       "product of the sizes"},
      {"wraps to the length", Shape("(4611686018427387905,)"), "product of the sizes"},
      {"too little data", npyFile(ValidDict, "1234"), "has 4 bytes of data, expected 24"},
      {"too much data", validFile() + "x", "has 25 bytes of data, expected 24"},
      {"two arrays", validFile() + validFile(), "expected 24"},
      {"boolean of 2", npyFile(dictOf("|b1", "(2,)"), "\1\2"), "neither 0 nor 1"},
  };
}

} // namespace

TEST(Npy, TheTensorHasTheNameOfTheFile) {
  for (auto [Path, Name] :
       {std::pair("query.npy", "query"), std::pair("a/b.c/query.v1.npy", "query.v1"),
        std::pair("a.b/query", "query"), std::pair(".npy", ".npy")}) {
    ParsedFile Parsed(validFile(), Path);
    EXPECT_EQ(Parsed.names(), std::vector<std::string>{Name});
    EXPECT_EQ(Parsed.values<float>(Name), ValidValues);
  }
}

TEST(Npy, OpenTakesTheNameFromThePath) {
  char Path[] = "/tmp/attune-test-XXXXXX";
  int Descriptor = mkstemp(Path);
  ASSERT_GE(Descriptor, 0);
  close(Descriptor);
  std::ofstream(Path, std::ios::binary) << validFile();
  attune_tensor_file *File = nullptr;
  EXPECT_EQ(attune_tensor_file_open(Path, &File), ATTUNE_OK) << attune_last_error();
  EXPECT_EQ(attune_tensor_file_name(File, 0), std::string(Path).substr(5));
  attune_tensor_file_close(File);
  unlink(Path);
}

TEST(Npy, EveryDtypeAndByteOrderThatIsLittleEndian) {
  const std::pair<const char *, attune_dtype> Types[] = {
      {"f4", ATTUNE_FLOAT32}, {"f8", ATTUNE_FLOAT64}, {"f2", ATTUNE_FLOAT16},
      {"b1", ATTUNE_BOOL},    {"u1", ATTUNE_UINT8},   {"i1", ATTUNE_INT8},
      {"i2", ATTUNE_INT16},   {"i4", ATTUNE_INT32},   {"i8", ATTUNE_INT64}};
  for (auto [Descr, Dtype] : Types)
    for (const char *Order : {"<", "|", "="}) {
      std::string Data(3 * attune_dtype_size(Dtype), '\1');
      ParsedFile Parsed(npyFile(dictOf(std::string(Order) + Descr, "(3,)"), Data));
      attune_tensor Tensor = Parsed.get("test");
      EXPECT_EQ(Tensor.dtype, Dtype);
      EXPECT_EQ(ParsedFile::denseBytes(Tensor), Data) << Order << Descr;
    }
}

TEST(Npy, VersionsTwoAndThreeHaveALongerLength) {
  for (char Version : {'\2', '\3'}) {
    std::string Header = ValidDict + "\n";
    ParsedFile Parsed("\x93NUMPY" + std::string{Version, '\0'} + little(Header.size(), 4) + Header +
                      bytesOf(ValidValues));
    EXPECT_EQ(Parsed.values<float>("test"), ValidValues);
  }
}

TEST(Npy, FortranOrderBecomesDense) {
  // a[i][j][k] = 100 i + 10 j + k, whose first index runs fastest in the file.
  std::vector<int32_t> InFile, Expected;
  for (int K = 0; K < 4; ++K)
    for (int J = 0; J < 3; ++J)
      for (int I = 0; I < 2; ++I)
        InFile.push_back(100 * I + 10 * J + K);
  for (int I = 0; I < 2; ++I)
    for (int J = 0; J < 3; ++J)
      for (int K = 0; K < 4; ++K)
        Expected.push_back(100 * I + 10 * J + K);
  std::string Data(reinterpret_cast<const char *>(InFile.data()), InFile.size() * 4);
  ParsedFile Parsed(npyFile(dictOf("<i4", "(2, 3, 4)", "True"), Data));
  attune_tensor Tensor = Parsed.get("test");
  EXPECT_EQ(Tensor.strides[0], 12);
  EXPECT_EQ(Tensor.strides[2], 1);
  EXPECT_EQ(Parsed.values<int32_t>("test"), Expected);
}

TEST(Npy, ScalarsAndEmptyTensors) {
  ParsedFile Scalar(npyFile(dictOf("<f4", "()"), bytesOf({7})));
  EXPECT_EQ(Scalar.get("test").rank, 0);
  EXPECT_EQ(Scalar.values<float>("test"), std::vector<float>{7});
  for (const char *Order : {"True", "False"}) {
    ParsedFile Empty(npyFile(dictOf("<f4", "(3, 0, 2)", Order), ""));
    EXPECT_EQ(Empty.get("test").rank, 3);
    EXPECT_EQ(Empty.get("test").data, nullptr);
  }
}

TEST(Npy, AnySpellingOfThePythonDict) {
  for (const char *Dict : {"{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f4\"}",
                           "{ 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , 'descr' : '<f4' }"})
    EXPECT_EQ(ParsedFile(npyFile(Dict, bytesOf(ValidValues))).values<float>("test"), ValidValues)
        << Dict;
}

class NpyWith : public testing::TestWithParam<Malformed> {};

TEST_P(NpyWith, IsRefused) { expectRefused(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Each, NpyWith, testing::ValuesIn(malformedFiles()), rowName);

TEST(MalformedNpy, Mutants) {
  for (const char *Order : {"True", "False"}) {
    std::string Bytes = npyFile(dictOf("<f4", "(2, 3)", Order), bytesOf(ValidValues));
    expectCutsAreRefused(Bytes);
    expectFlipsAreSafe(Bytes, 0, Bytes.size() - bytesOf(ValidValues).size());
  }
}
