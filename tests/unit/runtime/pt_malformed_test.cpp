#include "pt_builder.h"

#include <gtest/gtest.h>

using namespace attune::test;
using namespace attune::test::pt;

namespace {

const std::string FourFloats = bytesOf({1, 2, 3, 4});

/// A file whose tensor "t" is built by \p Code.
std::string withTensor(const std::string &Code) {
  return file(dict({text("t"), Code}), {FourFloats});
}

std::string view(int64_t Offset, const std::vector<int64_t> &Sizes,
                 const std::vector<int64_t> &Strides) {
  return withTensor(tensor(storage("0", 4), Offset, Sizes, Strides));
}

std::string withPickle(const std::string &Pickle) { return archive(Pickle, {FourFloats}); }
std::string withCode(const std::string &Code) { return withPickle("\x80\2" + Code + "."); }

std::vector<Malformed> malformedPickles() {
  std::string Good = tensor(storage("0", 4), 0, {4}, {1});
  std::string Rebuild = global("torch._utils", "_rebuild_tensor_v2");
  return {
      {"nothing", withPickle(""), "the pickle ends too early"},
      {"no protocol", withPickle("}."), "the protocol's number must stand at the start"},
      {"protocol twice", withCode("\x80\2}"), "the protocol's number must stand at the start"},
      {"protocol 1", withPickle("\x80\1}."), "protocol is 1"},
      {"protocol 6", withPickle("\x80\6}."), "protocol is 6"},
      {"no stop", withPickle("\x80\2}"), "ends too early"},
      {"bytes behind", withPickle("\x80\2}.}"), "followed by 1 more bytes"},
      {"empty stack", withCode(""), "an object is missing on the stack"},
      {"two objects", withCode("}}"), "left over on the stack"},
      {"open mark", withCode("}("), "an object is missing on the stack"},
      {"mark below the object", withCode("(}"), "left over on the stack"},
      {"no mark", withCode("t"), "a mark is missing"},
      {"tuple through a mark", withCode("NN(\x86"), "an object is missing on the stack"},
      {"text beyond the end", withCode("X" + little(99, 4) + "a"), "ends too early"},
      {"text beyond 2^64", withCode("\x8d" + std::string(8, '\xff')), "ends too early"},
      {"frame beyond the end", withCode("\x95" + little(99, 8)), "a frame is longer"},
      {"name without end", withCode("cos"), "a name does not end"},
      {"builtins", withCode(global("builtins", "eval")), "names 'builtins.eval', which"},
      {"name on the stack", withCode(text("os") + text("system") + "\x93"), "names 'os.system'"},
      {"number as name", withCode(text("os") + number(1) + "\x93"), "a name is a number"},
      {"part of an allowed name", withCode(global("torch", "FloatStorage.x")),
       "names 'torch.Float"},
      {"new object", withCode(global("collections", "OrderedDict") + ")\x81"), "opcode 129"},
      {"instance", withCode("(ios\nsystem\n"), "opcode 105"},
      {"extension", withCode("\x82\1"), "opcode 130"},
      {"old text", withCode("S'x'\n"), "opcode 83"},
      {"call of a text", withCode(text("x") + ")R"), "what is called is a text"},
      {"call without a tuple", withCode(global("torch", "Size") + "NR"), "arguments of a call"},
      {"call of a storage", withCode(global("torch", "FloatStorage") + ")R"), "calls FloatStorage"},
      {"dict with arguments", withCode(global("collections", "OrderedDict") + "N\x85R"),
       "OrderedDict is called with 1 arguments, expected 0"},
      {"tensor without arguments", withCode(Rebuild + ")R"), "0 arguments, expected 6"},
      {"negated tensor", withCode(Rebuild + "(NNNNNNNtR"), "7 arguments, expected 6"},
      {"parameter without a tensor",
       withCode(global("torch._utils", "_rebuild_parameter") + "NNN\x87R"), "a parameter's data"},
      {"item of a list", withCode("]NNs"), "what gets an item is a list, expected a dict"},
      {"items of a tuple", withCode(")(NNu"), "expected a dict"},
      {"no items of a tuple", withCode(")(u"), "expected a dict"},
      {"key without value", withCode("}(Nu"), "a key has no value"},
      {"append to a dict", withCode("}Na"), "what is appended to is a dict"},
      {"append several to a dict", withCode("}(NNe"), "what is appended to is a dict"},
      {"attributes of a dict", withCode("}}b"), "a plain dict gets attributes"},
      {"attributes of a tensor", withCode(Good + "}b"), "what gets attributes is a tensor"},
      {"persistent text", withCode(text("0") + "Q"), "a persistent id is a text"},
      {"memo without object", withCode("q\1"), "an object is missing on the stack"},
      {"memo that is not set", withCode("h\1"), "object 1 of the memo does not exist"},
      {"memo beyond all bounds", withCode("Nr\xff\xff\xff\xff"), "the memo has more than"},
      {"hole in the memo", withCode("Nq\2h\1"), "object 1 of the memo does not exist"},
      {"list", withCode("]"), "holds a list, expected a dict of tensors"},
      {"number", withCode("K\1"), "holds a number"},
  };
}

std::vector<Malformed> malformedTensors() {
  const int64_t Max = INT64_MAX;
  std::string Good = tensor(storage("0", 4), 0, {4}, {1});
  auto Arguments = [](const std::string &Code) {
    return withTensor(global("torch._utils", "_rebuild_tensor_v2") + "(" + Code + "NNtR");
  };
  auto Storage = [](const std::string &Code) {
    return withTensor(tensor("(" + Code + "tQ", 0, {4}, {1}));
  };
  std::string S = storage("0", 4), Four = tuple({4}), One = tuple({1}), Zero = number(0);
  std::string Type = global("torch", "FloatStorage"), Cpu = text("cpu");
  return {
      {"beyond the storage", view(0, {5}, {1}), "'t': its elements do not all lie in its storage"},
      {"beyond by its offset", view(1, {4}, {1}), "its elements do not all lie"},
      {"beyond by its stride", view(0, {2}, {4}), "its elements do not all lie"},
      {"negative offset", view(-1, {1}, {1}), "its elements do not all lie"},
      {"empty beyond", view(5, {0}, {1}), "its elements do not all lie"},
      {"huge offset", view(Max, {4}, {1}), "its elements do not all lie"},
      {"huge stride", view(0, {3}, {Max}), "its elements do not all lie"},
      {"huge span", view(0, {2}, {Max}), "its elements do not all lie"},
      {"wrapped span", view(0, {2, 2}, {Max, Max}), "its elements do not all lie"},
      {"negative size", view(0, {-1}, {1}), "a size or a stride is negative"},
      {"negative stride", view(3, {4}, {-1}), "a size or a stride is negative"},
      {"wrapped product", view(0, {Max, 4}, {0, 0}), "the product of its sizes"},
      {"wrapped product beside a zero", view(0, {Max, 4, 0}, {0, 0, 0}), "the product"},
      {"rank 7", view(0, {1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1}), "more than 6 dimensions"},
      {"fewer strides", view(0, {2, 2}, {2}), "has 2 sizes, but 1 strides"},
      {"no storage", Arguments("N" + Zero + Four + One), "its storage is a None"},
      {"no offset", Arguments(S + "N" + Four + One), "its offset is a None"},
      {"sizes are a list", Arguments(S + Zero + "]" + One), "its shape is a list"},
      {"strides are a number", Arguments(S + Zero + Four + number(1)), "its strides is a number"},
      {"size is a text", Arguments(S + Zero + text("4") + "\x85" + One), "a size is a text"},
      {"stride is a bool", Arguments(S + Zero + Four + "\x88\x85"), "a stride is a bool"},
      {"size beyond 2^63", Arguments(S + Zero + "\x8a\x09" + std::string(9, '\1') + "\x85" + One),
       "a size is a plain object"},
      {"storage is missing", withTensor(tensor(storage("1", 4), 0, {4}, {1})),
       "its storage '1' is missing in the archive"},
      {"storage elsewhere", withTensor(tensor(storage("../version", 2), 0, {2}, {1})),
       "'../version' is missing"},
      {"long key", withTensor(tensor(storage(std::string(65, '0'), 4), 0, {4}, {1})),
       "longer than"},
      {"storage is smaller", withTensor(tensor(storage("0", 5), 0, {4}, {1})),
       "should have 5 elements of 4 bytes, but has 16 bytes"},
      {"storage is larger", withTensor(tensor(storage("0", 3), 0, {3}, {1})), "should have 3"},
      {"negative storage", withTensor(tensor(storage("0", -4), 0, {4}, {1})), "should have -4"},
      {"wrapped storage", withTensor(tensor(storage("0", (int64_t{1} << 62) + 4), 0, {4}, {1})),
       "should have 4611686018427387908"},
      {"two types of a storage",
       file(dict({text("s"), Good, text("t"), tensor(storage("0", 4, "IntStorage"), 0, {4}, {1})}),
            {FourFloats}),
       "'t': its storage '0' is also used with another element type"},
      {"complex numbers", withTensor(tensor(storage("0", 2, "ComplexFloatStorage"), 0, {2}, {1})),
       "names 'torch.ComplexFloatStorage'"},
      {"id without a number", Storage(text("storage") + Type + text("0") + Cpu),
       "is not ('storage'"},
      {"id of another kind", Storage(text("module") + Type + text("0") + Cpu + number(4)),
       "is not ('storage'"},
      {"id with a function",
       Storage(text("storage") + global("torch", "Size") + text("0") + Cpu + number(4)),
       "is not ('storage'"},
      {"id with a numeric key", Storage(text("storage") + Type + number(0) + Cpu + number(4)),
       "is not ('storage'"},
      {"boolean of 2",
       file(dict({text("t"), tensor(storage("0", 4, "BoolStorage"), 0, {4}, {1})}),
            {std::string("\1\0\2\0", 4)}),
       "storage 'archive/data/0': a boolean is neither 0 nor 1"},
      {"key is a tuple", file(dict({")", Good}), {FourFloats}),
       "a key in the outermost dict is a tuple"},
      {"null in a key", file(dict({text(std::string("a\0", 2)), Good}), {FourFloats}),
       "null character"},
      {"key that is not UTF-8", file(dict({text("a\xc0\xaf"), Good}), {FourFloats}), "not UTF-8"},
      {"name twice", file(dict({text("a"), Good, text("a"), Good}), {FourFloats}),
       "tensor 'a' occurs twice"},
      {"name twice through nesting",
       file(dict({text("a.b"), Good, text("a"), dict({text("b"), Good})}), {FourFloats}),
       "tensor 'a.b' occurs twice"},
      {"big-endian", archive("\x80\2" + dict({text("t"), Good}) + ".", {FourFloats}, "big"),
       "its byte order is 'big', expected 'little'"},
      {"long byte order",
       archive("\x80\2" + dict({text("t"), Good}) + ".", {FourFloats}, std::string(99, 'x')),
       "its byte order is"},
      {"two pickles", ZipFile({{"a/data.pkl", "\x80\2}."}, {"b/data.pkl", "\x80\2}."}}).Bytes,
       "two entries data.pkl, in 'a/' and 'b/'"},
      {"no pickle", ZipFile({{"a/byteorder", "little"}}).Bytes,
       "expected .npy files or one data.pkl"},
  };
}

} // namespace

class PtPickleWith : public testing::TestWithParam<Malformed> {};

TEST_P(PtPickleWith, IsRefused) { expectRefused(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Each, PtPickleWith, testing::ValuesIn(malformedPickles()), rowName);

class PtTensorWith : public testing::TestWithParam<Malformed> {};

TEST_P(PtTensorWith, IsRefused) { expectRefused(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Each, PtTensorWith, testing::ValuesIn(malformedTensors()), rowName);

TEST(MalformedPt, TheBaseIsValid) { EXPECT_EQ(parseAndTouch(view(0, {4}, {1})), ATTUNE_OK); }

TEST(MalformedPt, DeepNestingIsNoRecursion) {
  const size_t Deep = 200000;
  EXPECT_EQ(parseAndTouch(
                withCode(dict({text("x"), std::string(Deep, ']') + "N" + std::string(Deep, 'a')}))),
            ATTUNE_OK);
  EXPECT_EQ(parseAndTouch(withCode(dict({text("x"), "N" + std::string(Deep, '\x85')}))), ATTUNE_OK);
  expectRefused({"marks", withCode(std::string(500000, '(')), "marks are on the stack"});
  expectRefused({"stack", withCode(std::string(500000, 'N')), "objects are on the stack"});
  expectRefused({"dicts", withCode("}" + std::string(33, '}') + "x"), "opcode"});
  std::string Dicts = "}";
  for (int I = 0; I < 33; ++I)
    Dicts = dict({text("d"), Dicts});
  expectRefused({"dicts in dicts", withCode(Dicts), "nested more than 32 deep"});
  expectRefused(
      {"a dict in itself", withCode("}q\1(" + text("d") + "h\1u"), "nested more than 32"});
}

TEST(MalformedPt, BombsAreBounded) {
  std::string Tuples, Dicts;
  for (int I = 0; I < 400000; ++I) {
    Tuples += "NNN\x87"
              "b"; // Attributes of the dict below, which are dropped.
    Dicts += OrderedDict + "b";
  }
  expectRefused({"tuples", withCode(OrderedDict + Tuples), "its tuples have more than"});
  expectRefused({"dicts", withCode(OrderedDict + Dicts + Dicts), "has more than 524288 dicts"});
  // Each dict holds the one below sixty-four times: 64^8 dicts, with and without tensors.
  for (std::string Level : {std::string("}"), tensor(storage("0", 4), 0, {4}, {1})}) {
    for (int Depth = 0; Depth < 8; ++Depth) {
      Level = "}(" + text("0") + Level + "q\1";
      for (int I = 1; I < 64; ++I)
        Level += text(std::to_string(I)) + "h\1";
      Level += "u";
    }
    expectRefused({"dicts by the memo", withCode(Level), "has more than"});
  }
}

TEST(MalformedPt, LongNamesAreBounded) {
  std::string Good = tensor(storage("0", 4), 0, {4}, {1});
  expectRefused({"long name", file(dict({text(std::string(5000, 'x')), Good}), {FourFloats}),
                 "is longer than 4096 bytes"});
  std::string Long = text(std::string(4000, 'x')) + "q\2", Inner = "}(";
  for (int I = 0; I < 3000; ++I)
    Inner += text(std::to_string(I)) + (I ? "h\1" : Good + "q\1");
  expectRefused(
      {"long names", file(dict({Long, Inner + "u"}), {FourFloats}), "or names of more than"});
}

TEST(MalformedPt, CopiesOfViewsAreBounded) {
  // Twenty thousand copies of a megabyte in a file of about a megabyte.
  const int64_t Count = 1 << 18;
  std::string Views =
      "}(" + text("first") + tensor(storage("0", Count), 1, {Count - 1}, {1}) + "q\1";
  for (int I = 0; I < 20000; ++I)
    Views += text(std::to_string(I)) + "h\1";
  expectRefused({"copies", file(Views + "u", {std::string(4 * Count, '\0')}),
                 "copies of views like this one would take more than twice"});
  // One view of 2^40 elements, and one whose size would wrap when it is rounded up.
  for (int64_t Size : {int64_t{1} << 40, (int64_t{1} << 61) - 1})
    expectRefused({"expanded", view(0, {Size}, {0}), "'t': dense copies of views like this one"});
}

TEST(MalformedPt, MutantsOfTheArchive) {
  for (const char *Name : {"views_strided.pt", "prefixed.pt"}) {
    std::string Bytes = readFile(std::string(ATTUNE_GOLDEN_WEIGHTS) + "/" + Name);
    expectCutsAreRefused(Bytes);
    size_t Data = Bytes.find("/data/0") + 200, Directory = Bytes.find("/version") - 200;
    expectFlipsAreSafe(Bytes, 0, Data);
    expectFlipsAreSafe(Bytes, Directory, Bytes.size());
  }
}

TEST(MalformedPt, MutantsOfThePickle) {
  // With a checksum that is right, so that they get as far as the pickle.
  std::string S = storage("0", 4);
  std::string Object = dict({text("a"), tensor(S, 0, {2, 2}, {2, 1}), text("b"),
                             tensor(S, 1, {2, 2}, {1, 1}), text("c"), OrderedDict + "}b"});
  std::string Pickle = "\x80\2" + Object + ".";
  EXPECT_EQ(parseAndTouch(withPickle(Pickle)), ATTUNE_OK);
  for (size_t Length = 0; Length < Pickle.size(); ++Length)
    EXPECT_EQ(parseAndTouch(withPickle(Pickle.substr(0, Length))), ATTUNE_BAD_FILE) << Length;
  expectFlipsAreSafe(Pickle, 0, Pickle.size(), withPickle);
}
