//===- BombsTest.cpp - Files that ask for as much memory as they can ------===//
//
// Each spends its bytes on what costs the reader most. Reading them must stay within memoryLimit.
//
//===----------------------------------------------------------------------===//
#include "Framing.h"
#include "Targets.h"
#include <gtest/gtest.h>

using namespace attune::fuzz;

namespace {

std::string repeated(std::string_view text, size_t count) {
  std::string result;
  result.reserve(text.size() * count);
  for (; count > 0; --count)
    result += text;
  return result;
}

std::string safetensors(std::string header, std::string data) {
  return putTogether({Framing::Kind::Safetensors, {std::move(header), std::move(data)}});
}

/// A checkpoint of one pickle, without its protocol and its end.
std::string checkpoint(const std::string &code) {
  return putTogether({Framing::Kind::Zip, {"m/data.pkl", "\x80\x02" + code + "."}});
}

void expectBounded(const std::string &file) {
  EXPECT_EQ(runTarget(checkTensorFile, file).problem, "");
}

/// The most tensors, of one byte each, with a name that is no short string; and the most keys of
/// metadata.
TEST(Bombs, SafetensorsOfManyTensors) {
  constexpr size_t count = size_t{1} << 17;
  std::string header = "{", metadata = R"("__metadata__":{)";
  for (size_t k = 0; k < count; ++k) {
    const std::string number = std::to_string(k), end = std::to_string(k + 1);
    header.append("\"................").append(number);
    header.append(R"(":{"dtype":"U8","shape":[1],"data_offsets":[)");
    header.append(number).append(",").append(end).append("]},");
    metadata.append(k ? ",\"" : "\"").append(number).append(R"(":"")");
  }
  expectBounded(safetensors(header + metadata + "}}", std::string(count, '\0')));
}

TEST(Bombs, SafetensorsOfLongTexts) {
  const std::string text(size_t{8} << 20, 'x');
  expectBounded(safetensors("{\"__metadata__\":{\"" + text + "\":\"" + text + "\"}}", ""));
  expectBounded(
      safetensors("{\"" + text + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", ""));
}

TEST(Bombs, NpzOfManyArrays) {
  const std::string array = putTogether(
      {Framing::Kind::Npy,
       {std::string("\1\0", 2), "{'descr':'|u1','fortran_order':False,'shape':()}\n", "\1"}});
  Framing framing{Framing::Kind::Zip, {}};
  for (size_t k = 0; k < UINT16_MAX; ++k) {
    framing.parts.push_back(std::to_string(k) + ".npy");
    framing.parts.push_back(array);
  }
  expectBounded(putTogether(framing));
}

/// A pickle that fills every store of the machine to its limit: tuples, memo, dicts, entries,
/// stack.
TEST(Bombs, PickleThatFillsEverything) {
  const std::string keep = "ccollections\nOrderedDict\n)R"; // what attributes are given to
  const std::string tuples = repeated("NNN\x87"
                                      "b",
                                      349000);
  const std::string memo = repeated("N\x94"
                                    "b",
                                    520000);
  const std::string dicts = repeated("}b", 260000);
  const std::string entries = "}" + repeated("N}s", 260000) + "b";
  const std::string stack = "(" + repeated("N", 262000) + "tb";
  std::string code = keep, twice;
  for (const std::string *part : {&stack, &entries, &dicts, &memo, &tuples})
    code += *part;
  expectBounded(checkpoint(code));
  // More than fits: refused, and not before the memory was taken.
  for (const std::string *part : {&tuples, &memo, &dicts, &entries, &stack})
    twice += *part + *part;
  expectBounded(checkpoint(keep + twice));
}

} // namespace
