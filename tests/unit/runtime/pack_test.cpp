#include "module_fixture.h"

#include <cstring>

using namespace attune_test;

namespace {

class Pack : public ModuleTest {
protected:
  attune_packed_header header() const {
    attune_packed_header Header;
    std::memcpy(&Header, Packed, sizeof(Header));
    return Header;
  }

  void spoil(const attune_packed_header &Header) { std::memcpy(Packed, &Header, sizeof(Header)); }

  void expectPackRefused(attune_status Status, const std::string &Text) {
    int Packs = LastCall.Packs;
    EXPECT_EQ(pack(), Status);
    EXPECT_EQ(attune_last_error(), Text);
    EXPECT_EQ(LastCall.Packs, Packs);
  }
};

} // namespace

TEST_F(Pack, WritesHeaderAndData) {
  attune_packed_header Header = header();
  EXPECT_EQ(std::string(Header.magic, 8), "attunepk");
  EXPECT_EQ(Header.abi_version, ATTUNE_ABI_VERSION);
  EXPECT_EQ(Header.dtype, uint32_t{ATTUNE_FLOAT32});
  EXPECT_EQ(Header.hash, Module.hash);
  EXPECT_EQ(Header.size, uint64_t{PackedBytes});
  EXPECT_EQ(std::memcmp(Packed + 64, ParameterData, sizeof(float) * Width * Width), 0);
}

TEST_F(Pack, ForwardRefusesAWrongHeader) {
  attune_packed_header Good = header(), Bad = Good;
  Bad.magic[3] = 'X';
  spoil(Bad);
  expectRefused(ATTUNE_WRONG_PACKED, "attention_forward: packed: does not start with \"attunepk\", "
                                     "expected what attention_pack writes");
  Bad = Good;
  Bad.abi_version = 1;
  spoil(Bad);
  expectRefused(ATTUNE_WRONG_PACKED, "attention_forward: packed: version is 1, expected 3");
  Bad = Good;
  Bad.hash = 1;
  spoil(Bad);
  expectRefused(ATTUNE_WRONG_PACKED,
                "attention_forward: packed: hash is 0000000000000001, expected 000000001234abcd "
                "(packed for another configuration, schedule, target or version)");
  Bad = Good;
  Bad.dtype = ATTUNE_BFLOAT16;
  spoil(Bad);
  expectRefused(ATTUNE_WRONG_PACKED,
                "attention_forward: packed: dtype is bfloat16, expected float32");
  Bad = Good;
  Bad.size += 64;
  spoil(Bad);
  expectRefused(ATTUNE_WRONG_PACKED,
                "attention_forward: packed: size in its header is 384 bytes, expected 320");
  spoil(Good);
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
}

TEST_F(Pack, ForwardRefusesAWrongBlock) {
  Call.packed = nullptr;
  expectRefused(ATTUNE_NULL_POINTER, "attention_forward: packed: is null, expected 320 bytes");
  Call.packed = Packed + 32;
  expectRefused(ATTUNE_MISALIGNED, "attention_forward: packed: is 32 bytes beyond a multiple of "
                                   "64, expected alignment to 64 bytes");
  Call.packed = Packed;
  Call.packed_size = 319;
  expectRefused(ATTUNE_BUFFER_TOO_SMALL,
                "attention_forward: packed: has 319 bytes, expected 320 or more");
}

TEST_F(Pack, ForwardWithoutParametersIgnoresPacked) {
  Module.parameter_count = 0;
  Module.packed_size = 0;
  Call.packed = nullptr;
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
}

TEST_F(Pack, RefusesWrongArguments) {
  EXPECT_EQ(attune_pack(nullptr, &Module, &Parameters, Packed, PackedBytes), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_pack(Context, nullptr, &Parameters, Packed, PackedBytes), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_pack(Context, &Module, nullptr, Packed, PackedBytes), ATTUNE_NULL_POINTER);
  EXPECT_STREQ(attune_last_error(),
               "attention_pack: parameters: is null, expected attention_parameters");
  EXPECT_EQ(attune_pack(Context, &Module, &Parameters, nullptr, PackedBytes), ATTUNE_NULL_POINTER);
  EXPECT_STREQ(attune_last_error(), "attention_pack: packed: is null, expected 320 bytes");
  EXPECT_EQ(attune_pack(Context, &Module, &Parameters, Packed + 1, PackedBytes), ATTUNE_MISALIGNED);
  EXPECT_EQ(attune_pack(Context, &Module, &Parameters, Packed, 100), ATTUNE_BUFFER_TOO_SMALL);
  Module.abi_version = 0;
  EXPECT_EQ(pack(), ATTUNE_WRONG_VERSION);
  EXPECT_EQ(LastCall.Packs, 1) << "only that of the fixture";
}

TEST_F(Pack, RefusesAWrongStructSize) {
  Parameters.Start.struct_size = 8;
  expectPackRefused(ATTUNE_WRONG_VERSION,
                    "attention_pack: parameters: struct_size is 8, expected 120");
}

TEST_F(Pack, RefusesWrongParameters) {
  attune_tensor Good = Parameter;
  Parameter.sizes[0] = 9;
  expectPackRefused(ATTUNE_WRONG_SIZE,
                    "attention_pack: weight: size of dimension 0 is 9, expected 8");
  Parameter = Good;
  Parameter.dtype = ATTUNE_INT32;
  expectPackRefused(ATTUNE_WRONG_DTYPE, "attention_pack: weight: dtype is int32, expected float32");
  Parameter = Good;
  Parameter.data = Packed + 128;
  expectPackRefused(ATTUNE_ALIASED, "attention_pack: packed: its memory overlaps that of weight, "
                                    "expected memory of its own");
  Parameter = Good;
  Module.parameter_count = 0;
  expectPackRefused(ATTUNE_WRONG_PACKED, "attention_pack: parameters: are not expected, this "
                                         "module has none to pack");
}
