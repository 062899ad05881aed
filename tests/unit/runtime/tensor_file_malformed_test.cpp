#include "tensor_file_helpers.h"

#include <gtest/gtest.h>

using namespace attune::test;

namespace {

std::string fileOf(const std::string &Header, const std::string &Data) {
  return little(Header.size(), 8) + Header + Data;
}

const std::string ValidHeader =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
    R"("b":{"dtype":"U8","shape":[3,1],"data_offsets":[8,11]}})";
const std::string ValidData = "0123456789A";

/// A header with one tensor "a" of the given fields.
std::string tensorA(const std::string &Fields) { return "{\"a\":{" + Fields + "}}"; }

std::vector<Malformed> malformedFiles() {
  auto Header = [](std::string Text, std::string Data = "") { return fileOf(Text, Data); };
  std::string F32 = R"("dtype":"F32")", Four = R"("shape":[1],"data_offsets":[0,4])";
  return {
      {"nothing", "", "has 0 bytes"},
      {"seven bytes", std::string(7, '\0'), "has 7 bytes"},
      {"empty header", Header(""), "does not start with {"},
      {"header longer than file", std::string("\x40\0\0\0\0\0\0\0{}", 10), "only 2 bytes follow"},
      {"huge header", std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "at most 100000000"},
      {"header of 100 MB and one", std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10), "at most"},
      {"leading space", Header(" {}"), "does not start with {"},
      {"byte order mark", Header("\xef\xbb\xbf{}"), "does not start with {"},
      {"array", Header("[]"), "does not start with {"},
      {"unclosed", Header("{"), "not valid JSON"},
      {"two values", Header("{}{}"), "not valid JSON"},
      {"null byte behind", Header(std::string("{}\0", 3)), "null byte"},
      {"null byte hides text", Header(std::string("{}\0{]", 5)), "null byte"},
      {"comment", Header("{}//"), "not valid JSON"},
      {"trailing comma",
       Header(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],}})", "1234"),
       "not valid JSON"},
      {"bad UTF-8", Header("{\"\xff\":{}}"), "not valid JSON"},
      {"overlong UTF-8", Header("{\"\xc0\xaf\":{}}"), "not valid JSON"},
      {"lone surrogate", Header(R"({"\ud800":{}})"), "not valid JSON"},
      {"null character in a name",
       Header(R"({"a\u0000b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234"),
       "null character"},
      {"data without tensors", Header("{}", "x"), "need 0 bytes of data, the file has 1"},
      {"tensor is null", Header(R"({"a":null})"), "tensor 'a': null"},
      {"tensor is a number", Header(R"({"a":1})"), "tensor 'a': a number"},
      {"tensor is an array", Header(R"({"a":[]})"), "tensor 'a': an array"},
      {"tensor is a string", Header(R"({"a":"F32"})"), "tensor 'a': a string"},
      {"nothing in tensor", Header(tensorA("")), "'a': lacks dtype"},
      {"no dtype", Header(tensorA(Four), "1234"), "'a': lacks dtype"},
      {"no shape", Header(tensorA(F32 + R"(,"data_offsets":[0,4])"), "1234"), "lacks shape"},
      {"no offsets", Header(tensorA(F32 + R"(,"shape":[1])"), "1234"), "lacks data_offsets"},
      {"unknown key", Header(tensorA(F32 + "," + Four + R"(,"x":1)"), "1234"),
       "key 'x' is unknown"},
      {"dtype twice", Header(tensorA(F32 + "," + F32 + "," + Four), "1234"),
       "'dtype' occurs twice"},
      {"shape twice", Header(tensorA(F32 + R"(,"shape":[1],)" + Four), "1234"),
       "'shape' occurs twice"},
      {"unknown dtype", Header(tensorA(R"("dtype":"F8_E4M3",)" + Four), "1234"),
       "dtype 'F8_E4M3' is not supported"},
      {"dtype in lower case", Header(tensorA(R"("dtype":"f32",)" + Four), "1234"), "'f32'"},
      {"dtype is a number", Header(tensorA(R"("dtype":1,)" + Four), "1234"), "a number"},
      {"dtype is an object", Header(tensorA(R"("dtype":{},)" + Four), "1234"), "an object"},
      {"shape is a number", Header(tensorA(F32 + R"(,"shape":1)")), "a number"},
      {"negative size", Header(tensorA(F32 + R"(,"shape":[-1],"data_offsets":[0,4])"), "1234"),
       "a negative number"},
      {"negative zero", Header(tensorA(F32 + R"(,"shape":[-0],"data_offsets":[0,0])")),
       "a negative number"},
      {"fraction", Header(tensorA(F32 + R"(,"shape":[1.0],"data_offsets":[0,4])"), "1234"),
       "no integer"},
      {"exponent", Header(tensorA(F32 + R"(,"shape":[1e0],"data_offsets":[0,4])"), "1234"),
       "no integer"},
      {"beyond 2^64",
       Header(tensorA(F32 + R"(,"shape":[18446744073709551617],"data_offsets":[0,4])"), "1234"),
       "no integer"},
      {"beyond 2^63",
       Header(tensorA(F32 + R"(,"shape":[9223372036854775808],"data_offsets":[0,4])"), "1234"),
       "too large"},
      {"nested shape", Header(tensorA(F32 + R"(,"shape":[[1]])")), "an array"},
      {"string in shape", Header(tensorA(F32 + R"(,"shape":["1"])")), "a string"},
      {"rank 7", Header(tensorA(F32 + R"(,"shape":[1,1,1,1,1,1,1],"data_offsets":[0,4])"), "1234"),
       "tensor 'a': has more than 6 dimensions"},
      {"wrapped product",
       Header(tensorA(F32 + R"(,"shape":[4294967296,4294967296],"data_offsets":[0,0])")),
       "product of its sizes is too large"},
      {"wrapped product beside a zero",
       Header(tensorA(F32 + R"(,"shape":[4294967296,4294967296,0],"data_offsets":[0,0])")),
       "product of its sizes is too large"},
      {"product that wraps to the length",
       Header(tensorA(F32 + R"(,"shape":[4611686018427387905],"data_offsets":[0,4])"), "1234"),
       "product of its sizes is too large"},
      {"one offset", Header(tensorA(F32 + R"(,"shape":[0],"data_offsets":[0])")),
       "has 1 values, expected 2"},
      {"three offsets", Header(tensorA(F32 + R"(,"shape":[0],"data_offsets":[0,0,0])")),
       "more than 2"},
      {"reversed offsets", Header(tensorA(F32 + R"(,"shape":[1],"data_offsets":[4,0])"), "1234"),
       "expected 4 bytes"},
      {"too few bytes", Header(tensorA(F32 + R"(,"shape":[2],"data_offsets":[0,4])"), "1234"),
       "expected 8 bytes"},
      {"beyond the file", Header(tensorA(F32 + R"(,"shape":[2],"data_offsets":[0,8])"), "1234"),
       "need 8 bytes of data, the file has 4"},
      {"bytes left over", Header(tensorA(F32 + "," + Four), "12345"), "the file has 5"},
      {"hole at the start",
       Header(tensorA(F32 + R"(,"shape":[1],"data_offsets":[4,8])"), "12345678"), "(a hole)"},
      {"hole between",
       Header(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
              R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
              "123"),
       "'b': data begins at offset 2, expected 1 (a hole)"},
      {"overlap",
       Header(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
              R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
              "123"),
       "'b': data begins at offset 1, expected 2 (an overlap)"},
      {"empty tensor within another",
       Header(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
              R"("b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}})",
              "12"),
       "(an overlap)"},
      {"name twice",
       Header(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
              R"("\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
       "tensor 'a' occurs twice"},
      {"metadata is a list", Header(R"({"__metadata__":[]})"), "an array"},
      {"metadata is a string", Header(R"({"__metadata__":"x"})"), "a string"},
      {"metadata value is a number", Header(R"({"__metadata__":{"a":1}})"),
       "__metadata__: a number"},
      {"metadata value is an object", Header(R"({"__metadata__":{"a":{}}})"),
       "__metadata__: an object"},
      {"metadata value is null", Header(R"({"__metadata__":{"a":null}})"), "__metadata__: null"},
      {"metadata key twice", Header(R"({"__metadata__":{"a":"","a":""}})"), "key 'a' occurs twice"},
      {"metadata twice", Header(R"({"__metadata__":{},"__metadata__":{}})"),
       "__metadata__ occurs twice"},
      {"boolean of 2",
       Header(tensorA(R"("dtype":"BOOL","shape":[2],"data_offsets":[0,2])"), "\x01\x02"),
       "tensor 'a': a boolean is neither 0 nor 1"},
      {"deep nesting", Header("{\"a\":" + std::string(100000, '[')), "an array"},
      {"deep objects", Header([] {
         std::string Text;
         for (int I = 0; I < 100000; ++I)
           Text += "{\"a\":";
         return Text;
       }()),
       "key 'a' is unknown"},
  };
}

} // namespace

TEST(MalformedTensorFile, TheBaseIsValid) {
  EXPECT_EQ(parseAndTouch(fileOf(ValidHeader, ValidData)), ATTUNE_OK) << attune_last_error();
  EXPECT_EQ(parseAndTouch(fileOf(ValidHeader + "   \n\t", ValidData)), ATTUNE_OK)
      << attune_last_error();
  EXPECT_EQ(parseAndTouch(fileOf("{}", "")), ATTUNE_OK) << attune_last_error();
}

class SafetensorsWith : public testing::TestWithParam<Malformed> {};

TEST_P(SafetensorsWith, IsRefused) { expectRefused(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Each, SafetensorsWith, testing::ValuesIn(malformedFiles()), rowName);

TEST(MalformedTensorFile, TruncationAtEveryLength) {
  expectCutsAreRefused(fileOf(ValidHeader, ValidData));
}

TEST(MalformedTensorFile, EveryBitFlipped) {
  expectFlipsAreSafe(fileOf(ValidHeader, ValidData), 0, 8 + ValidHeader.size());
}

TEST(MalformedTensorFile, EveryByteReplaced) {
  std::string Bytes = fileOf(ValidHeader, ValidData);
  for (size_t I = 0; I < 8 + ValidHeader.size(); ++I)
    for (char Replacement : std::string("\0\"\\{}[],:0-e\xff", 13)) {
      std::string Changed = Bytes;
      Changed[I] = Replacement;
      attune_status Status = parseAndTouch(Changed);
      EXPECT_TRUE(Status == ATTUNE_OK || Status == ATTUNE_BAD_FILE) << I;
    }
}

TEST(MalformedTensorFile, MessagesHoldNoControlCharactersAndStayShort) {
  std::string Name = R"(\u001b[31m\n)" + std::string(5000, 'x');
  ParsedFile Parsed(fileOf("{\"" + Name + "\":null}", ""));
  EXPECT_EQ(Parsed.Status, ATTUNE_BAD_FILE);
  EXPECT_LT(Parsed.Message.size(), 300u);
  for (char C : Parsed.Message)
    EXPECT_GE(static_cast<unsigned char>(C), 0x20);
}

TEST(MalformedTensorFile, NamesInMessagesAreCutBetweenCharacters) {
  auto Message = [](const std::string &Name) {
    return ParsedFile(fileOf("{\"" + Name + "\":null}", "")).Message;
  };
  // U+0085 is a line end and U+009B starts a command to a terminal; an umlaut is neither.
  EXPECT_NE(Message("a\xc2\x85\xc2\x9b"
                    "b\xc3\xa4")
                .find("'a??b\xc3\xa4'"),
            std::string::npos);
  std::string Long = "x";
  for (int I = 0; I < 100; ++I)
    Long += "\xc3\xa4";
  std::string Expected = "'x";
  for (int I = 0; I < 40; ++I)
    Expected += "\xc3\xa4";
  EXPECT_NE(Message(Long).find(Expected + "...'"), std::string::npos) << Message(Long);
}

TEST(MalformedTensorFile, AHeaderMayHaveAHundredMegabytes) {
  const size_t Most = 100000000;
  std::string Header = "{\"__metadata__\":{";
  for (int I = 0; I < 12; ++I)
    Header += (I ? ",\"" : "\"") + std::to_string(I) + "\":\"" + std::string(8000000, 'x') + "\"";
  Header += "}}";
  Header.append(Most - Header.size(), ' ');
  EXPECT_EQ(parseAndTouch(fileOf(Header, "")), ATTUNE_OK) << attune_last_error();
  expectRefused({"longer", fileOf(Header + " ", ""), "at most 100000000"});
}

TEST(MalformedTensorFile, LongTextsAndManyTensorsAreRefused) {
  std::string Long = "{\"__metadata__\":{\"a\":\"" + std::string(size_t{9} << 20, 'x') + "\"}}";
  expectRefused({"long text", fileOf(Long, ""), "a text of more than"});
  std::string Many = "{";
  for (int I = 0; I <= 1 << 17; ++I)
    Many += (I ? ",\"" : "\"") + std::to_string(I) +
            R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  expectRefused({"many tensors", fileOf(Many + "}", ""), "more than 131072 tensors"});
}

TEST(MalformedTensorFile, OtherFilesAreNamed) {
  expectRefused({"text", "Some text, long enough for a header", "does not start like .npy"});
  expectRefused({"pickle", std::string("\x80\2]q\0.", 6) + std::string(9, 'x'), "legacy format"});
}
