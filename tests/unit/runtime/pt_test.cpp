#include "pt_builder.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace attune::test;
using namespace attune::test::pt;

namespace {

std::string golden(const std::string &Name) {
  return readFile(std::string(ATTUNE_GOLDEN_WEIGHTS) + "/" + Name);
}

/// The weights that most of the files hold.
const ParsedFile &weights() {
  static const ParsedFile File(golden("state_dict.safetensors"));
  return File;
}

/// Both tensors have the same shape and, unless \p AnyDtype, the same elements.
void expectEqual(const attune_tensor &Read, const attune_tensor &Expected, bool AnyDtype = false) {
  ASSERT_EQ(Read.rank, Expected.rank);
  for (int32_t I = 0; I < Read.rank; ++I)
    EXPECT_EQ(Read.sizes[I], Expected.sizes[I]);
  if (AnyDtype)
    return;
  EXPECT_EQ(Read.dtype, Expected.dtype);
  EXPECT_EQ(ParsedFile::denseBytes(Read), ParsedFile::denseBytes(Expected));
}

/// 0, 1, 2 ... as a storage.
std::string countingStorage(size_t Count) {
  std::vector<float> Values(Count);
  for (size_t I = 0; I < Count; ++I)
    Values[I] = static_cast<float>(I);
  return bytesOf(Values);
}

float fromHalf(uint16_t Half) {
  int Exponent = Half >> 10 & 31, Fraction = Half & 1023;
  float Size = Exponent == 0 ? std::ldexp(static_cast<float>(Fraction), -24)
                             : std::ldexp(static_cast<float>(Fraction + 1024), Exponent - 25);
  return Half & 0x8000 ? -Size : Size;
}

} // namespace

TEST(Pt, AStateDictEqualsItsSafetensors) {
  ParsedFile File(golden("state_dict.pt"));
  EXPECT_EQ(File.names(), (std::vector<std::string>{"q_proj_weight", "k_proj_weight",
                                                    "v_proj_weight", "in_proj_bias", "bias_k",
                                                    "bias_v", "out_proj.weight", "out_proj.bias"}));
  for (const std::string &Name : weights().names())
    expectEqual(File.get(Name), weights().get(Name));
}

TEST(Pt, NestedDictsAreJoinedByPeriods) {
  ParsedFile File(golden("checkpoint_nested.pt"));
  EXPECT_EQ(File.names().size(), weights().names().size());
  for (const std::string &Name : weights().names())
    expectEqual(File.get("model." + Name), weights().get(Name));
}

TEST(Pt, BFloat16) {
  ParsedFile File(golden("bf16.pt"));
  for (const std::string &Name : weights().names()) {
    EXPECT_EQ(File.get(Name).dtype, ATTUNE_BFLOAT16);
    expectEqual(File.get(Name), weights().get(Name), /*AnyDtype=*/true);
    std::vector<uint32_t> Wide = weights().values<uint32_t>(Name);
    std::vector<uint16_t> Rounded = File.values<uint16_t>(Name);
    for (size_t I = 0; I < Wide.size(); ++I)
      EXPECT_EQ(Rounded[I], (Wide[I] + 0x7fff + (Wide[I] >> 16 & 1)) >> 16) << Name << I;
  }
}

TEST(Pt, Float16) {
  ParsedFile File(golden("f16.pt"));
  for (const std::string &Name : weights().names()) {
    EXPECT_EQ(File.get(Name).dtype, ATTUNE_FLOAT16);
    expectEqual(File.get(Name), weights().get(Name), /*AnyDtype=*/true);
    std::vector<float> Wide = weights().values<float>(Name);
    std::vector<uint16_t> Rounded = File.values<uint16_t>(Name);
    for (size_t I = 0; I < Wide.size(); ++I)
      EXPECT_NEAR(fromHalf(Rounded[I]), Wide[I], std::abs(Wide[I]) / 2048 + 1e-7f) << Name << I;
  }
}

TEST(Pt, PrefixedNames) {
  ParsedFile File(golden("prefixed.pt"));
  const std::string Prefix = "encoder.layers.0.self_attn.";
  EXPECT_EQ(File.names(),
            (std::vector<std::string>{Prefix + "in_proj_weight", Prefix + "in_proj_bias",
                                      Prefix + "out_proj.weight", Prefix + "out_proj.bias"}));
  EXPECT_EQ(File.get(Prefix + "in_proj_weight").sizes[0], 48);
}

TEST(Pt, ViewsOfOneStorageBecomeDense) {
  ParsedFile File(golden("views_strided.pt"));
  attune_tensor In = File.get("in_proj_weight"), Out = File.get("out_proj.weight");
  EXPECT_EQ(In.strides[0], 24);
  EXPECT_EQ(Out.strides[0], 24);
  std::vector<float> InValues = File.values<float>("in_proj_weight"),
                     OutValues = File.values<float>("out_proj.weight");
  ASSERT_EQ(InValues.size(), 72u * 24);
  ASSERT_EQ(OutValues.size(), 24u * 24);
  // In the storage, rows of 72: the one is its transpose, the other its first columns.
  for (size_t I = 0; I < 24; ++I)
    for (size_t J = 0; J < 24; ++J)
      EXPECT_EQ(OutValues[24 * I + J], InValues[24 * J + I]);
}

TEST(Pt, CodeIsNamedAndRefused) {
  expectRefused({"code", golden("refuse_code.pt"), "names 'os.getenv', which"});
  expectRefused({"code", golden("refuse_code.pt"), "torch.save(model.state_dict(), file)"});
  expectRefused({"module", golden("refuse_whole_module.pt"),
                 "names 'torch.nn.modules.activation.MultiheadAttention', which"});
  expectRefused({"module", golden("refuse_whole_module.pt"), "model.state_dict()"});
  expectRefused({"legacy", golden("refuse_legacy.pt"), "PyTorch's legacy format"});
  expectRefused({"legacy", golden("refuse_legacy.pt"), "torch.save(model.state_dict(), file)"});
}

TEST(Pt, ViewsReadWhatTheirStridesSay) {
  std::string S = storage("0", 64);
  ParsedFile File(file(dict({text("all"), tensor(S, 0, {8, 8}, {8, 1}),        //
                             text("aligned"), tensor(S, 16, {2, 3}, {3, 1}),   //
                             text("offset"), tensor(S, 5, {3}, {1}),           //
                             text("transposed"), tensor(S, 0, {3, 2}, {1, 8}), //
                             text("column"), tensor(S, 7, {8}, {8}),           //
                             text("scalar"), tensor(S, 63, {}, {}),            //
                             text("empty"), tensor(S, 64, {0, 5}, {5, 1}),     //
                             text("odd"), tensor(S, 32, {1, 4}, {int64_t{1} << 62, 1})}),
                       {countingStorage(64)}));
  EXPECT_EQ(File.Message, "");
  using Values = std::vector<float>;
  EXPECT_EQ(File.values<float>("all").size(), 64u);
  EXPECT_EQ(File.values<float>("all")[63], 63);
  EXPECT_EQ(File.values<float>("aligned"), (Values{16, 17, 18, 19, 20, 21}));
  EXPECT_EQ(File.values<float>("offset"), (Values{5, 6, 7}));
  EXPECT_EQ(File.values<float>("transposed"), (Values{0, 8, 1, 9, 2, 10}));
  EXPECT_EQ(File.get("transposed").strides[0], 2);
  EXPECT_EQ(File.values<float>("column"), (Values{7, 15, 23, 31, 39, 47, 55, 63}));
  EXPECT_EQ(File.values<float>("scalar"), Values{63});
  EXPECT_EQ(File.get("empty").data, nullptr);
  EXPECT_EQ(File.get("odd").strides[0], 4);
  // Dense and aligned as it is: no copy.
  EXPECT_EQ(static_cast<float *>(File.get("aligned").data),
            static_cast<float *>(File.get("all").data) + 16);
}

TEST(Pt, ViewsThatRepeatElementsBecomeDense) {
  ParsedFile File(file(dict({text("rows"), tensor(storage("0", 16), 1, {4, 3}, {0, 1})}),
                       {countingStorage(16)}));
  EXPECT_EQ(File.get("rows").strides[0], 3);
  EXPECT_EQ(File.values<float>("rows"), (std::vector<float>{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3}));
}

TEST(Pt, EveryDtype) {
  const std::pair<const char *, attune_dtype> Types[] = {
      {"FloatStorage", ATTUNE_FLOAT32},     {"DoubleStorage", ATTUNE_FLOAT64},
      {"BFloat16Storage", ATTUNE_BFLOAT16}, {"HalfStorage", ATTUNE_FLOAT16},
      {"BoolStorage", ATTUNE_BOOL},         {"ByteStorage", ATTUNE_UINT8},
      {"CharStorage", ATTUNE_INT8},         {"ShortStorage", ATTUNE_INT16},
      {"IntStorage", ATTUNE_INT32},         {"LongStorage", ATTUNE_INT64}};
  for (auto [Type, Dtype] : Types) {
    std::string Data(3 * attune_dtype_size(Dtype), '\1');
    ParsedFile File(file(dict({text("t"), tensor(storage("0", 3, Type), 0, {3}, {1})}), {Data}));
    EXPECT_EQ(File.get("t").dtype, Dtype);
    EXPECT_EQ(ParsedFile::denseBytes(File.get("t")), Data) << Type;
  }
}

TEST(Pt, OtherObjectsAreIgnored) {
  std::string T = tensor(storage("0", 2), 0, {2}, {1});
  std::string Size = global("torch", "Size") + "(" + number(2) + "t\x85R";
  std::string Object = dict({text("epoch"), number(3),
                             text("lr"),    "G" + std::string(8, '\x3f'),
                             text("none"),  "N",
                             text("flag"),  "\x88",
                             text("list"),  "](" + number(1) + T + "e",
                             text("one"),   "]" + T + "a",
                             text("pair"),  "(" + T + T + "t",
                             text("size"),  Size,
                             text("bytes"), "C\3abc",
                             text("large"), "\x8a\x0a" + std::string(10, '\x7f'),
                             text("dict"),  dict({number(7), T, text("x"), "N"})});
  ParsedFile File(file(Object, {countingStorage(2)}));
  EXPECT_EQ(File.Message, "");
  EXPECT_EQ(File.names(), std::vector<std::string>{"dict.7"});
}

TEST(Pt, ParametersAreTensors) {
  std::string Parameter = global("torch._utils", "_rebuild_parameter") + "(" +
                          tensor(storage("0", 2), 0, {2}, {1}) + "\x88" + OrderedDict + "tR";
  ParsedFile File(file(dict({text("p"), Parameter}), {countingStorage(2)}));
  EXPECT_EQ(File.values<float>("p"), (std::vector<float>{0, 1}));
}

TEST(Pt, ATensorAloneHasTheNameOfTheFile) {
  ParsedFile File(file(tensor(storage("0", 2), 0, {2}, {1}), {countingStorage(2)}), "x/query.pt");
  EXPECT_EQ(File.names(), std::vector<std::string>{"query"});
  EXPECT_EQ(File.values<float>("query"), (std::vector<float>{0, 1}));
}

TEST(Pt, SharedStoragesAndDicts) {
  std::string T = tensor(storage("0", 4), 0, {4}, {1});
  std::string Put = "q\1", Get = "h\1";
  ParsedFile File(file(dict({text("a"), dict({text("w"), T}) + Put, text("b"), Get, text("w"), T}),
                       {countingStorage(4)}));
  EXPECT_EQ(File.names(), (std::vector<std::string>{"a.w", "b.w", "w"}));
  EXPECT_EQ(File.get("a.w").data, File.get("w").data);
}

TEST(Pt, EmptyStorages) {
  ParsedFile File(file(dict({text("e"), tensor(storage("0", 0), 0, {0}, {1})}), {""}));
  EXPECT_EQ(File.get("e").sizes[0], 0);
}

TEST(Pt, ProtocolFour) {
  auto Short = [](const std::string &Text) { return "\x8c" + little(Text.size(), 1) + Text; };
  std::string Memo = "\x94";
  std::string Rebuild =
      Short("torch._utils") + Memo + Short("_rebuild_tensor_v2") + Memo + "\x93" + Memo;
  std::string Tensor = Rebuild + "(" + storage("0", 2) + "K" + little(0, 1) + "K\2\x85K\1\x85\x89" +
                       OrderedDict + "t" + Memo + "R" + Memo;
  // Objects 0 to 2 of the memo are the function and its name, 3 its arguments, 4 the tensor.
  std::string Body = "}(" + Short("weird") + Tensor + Short("again") + "h\4u.";
  ParsedFile File(archive("\x80\4\x95" + little(Body.size(), 8) + Body, {countingStorage(2)}));
  EXPECT_EQ(File.Message, "");
  EXPECT_EQ(File.names(), (std::vector<std::string>{"weird", "again"}));
  EXPECT_EQ(File.values<float>("again"), (std::vector<float>{0, 1}));
}
