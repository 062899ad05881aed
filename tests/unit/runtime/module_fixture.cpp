#include "module_fixture.h"

#include <cstring>

namespace attune_test {

Record LastCall;

static attune_argument_spec spec(const char *Name, uint32_t Dtypes, uint32_t Flags,
                                 std::initializer_list<attune_size_spec> Sizes) {
  attune_argument_spec Result = {};
  Result.name = Name;
  Result.dtypes = Dtypes;
  Result.flags = Flags;
  for (const attune_size_spec &Size : Sizes)
    Result.sizes[Result.rank++] = Size;
  return Result;
}

static int64_t workspaceSize(int64_t Batch, int64_t, int64_t Source, int64_t) {
  // Negative as a generated function's arithmetic may become for absurd sizes.
  return Batch > 1000000 ? -1 : Source == 0 ? 0 : WorkspaceBytes;
}

static void recordForward(attune_context *, const attune_tensor *Tensors, const void *Packed,
                          void *Workspace, const attune_call_sizes *Sizes, int64_t Workers) {
  ++LastCall.Forwards;
  LastCall.Tensors.assign(Tensors, Tensors + ArgumentCount);
  LastCall.Packed = Packed;
  LastCall.Workspace = Workspace;
  LastCall.Sizes = *Sizes;
  LastCall.Workers = Workers;
}

static void recordPack(attune_context *, const attune_tensor *Parameters, void *Packed) {
  ++LastCall.Packs;
  // Writes all of the block, as a careless generator might.
  std::memset(Packed, 0x5a, PackedBytes);
  std::memcpy(static_cast<char *>(Packed) + 64, Parameters[0].data, 4 * Width * Width);
}

ModuleTest::ModuleTest() {
  LastCall = {};
  constexpr attune_size_spec N = {ATTUNE_SIZE_BATCH, 0, 1, 0}, L = {ATTUNE_SIZE_TARGET, 0, 1, 0},
                             S = {ATTUNE_SIZE_SOURCE, 0, 1, 0},
                             E = {ATTUNE_SIZE_FIXED, 0, Width, 0},
                             NH = {ATTUNE_SIZE_BATCH, 0, 2, 0}, S1 = {ATTUNE_SIZE_SOURCE, 0, 1, 1};
  constexpr uint32_t F32 = 1u << ATTUNE_FLOAT32, F64 = 1u << ATTUNE_FLOAT64,
                     Bool = 1u << ATTUNE_BOOL;
  Specs = {spec("query", F32, ATTUNE_ARGUMENT_EVEN_ROWS, {N, L, E}),
           spec("key", F32, ATTUNE_ARGUMENT_EVEN_ROWS, {N, S, E}),
           spec("value", F32, ATTUNE_ARGUMENT_EVEN_ROWS, {N, S, E}),
           spec("mask", Bool | F32, 0, {L, S}),
           spec("bias", F64, 0, {NH, S}),
           spec("output", F32, ATTUNE_ARGUMENT_OUTPUT, {N, L, E}),
           spec("weights", F32, ATTUNE_ARGUMENT_OUTPUT, {N, L, S1})};
  ParameterSpecs = {spec("weight", F32, ATTUNE_ARGUMENT_EVEN_ROWS, {E, E})};
  Module = {sizeof(attune_module),
            ATTUNE_ABI_VERSION,
            0,
            "attention",
            0x1234abcd,
            ArgumentCount,
            1,
            Specs.data(),
            ParameterSpecs.data(),
            PackedBytes,
            workspaceSize,
            recordForward,
            recordPack,
            nullptr,
            nullptr};

  int64_t QuerySizes[] = {2, 3, Width}, KeySizes[] = {2, 5, Width}, MaskSizes[] = {3, 5},
          BiasSizes[] = {4, 5}, WeightsSizes[] = {2, 3, 6}, ParameterSizes[] = {Width, Width};
  Call = {sizeof(Arguments), Packed, PackedBytes, Workspace, WorkspaceBytes, {}};
  Call.Tensors[Query] = attune_dense_tensor(QueryData, ATTUNE_FLOAT32, 3, QuerySizes);
  Call.Tensors[Key] = attune_dense_tensor(KeyData, ATTUNE_FLOAT32, 3, KeySizes);
  Call.Tensors[Value] = attune_dense_tensor(ValueData, ATTUNE_FLOAT32, 3, KeySizes);
  Call.Tensors[Mask] = attune_dense_tensor(MaskData, ATTUNE_BOOL, 2, MaskSizes);
  Call.Tensors[Bias] = attune_dense_tensor(BiasData, ATTUNE_FLOAT64, 2, BiasSizes);
  Call.Tensors[Output] = attune_dense_tensor(OutputData, ATTUNE_FLOAT32, 3, QuerySizes);
  Call.Tensors[Weights] = attune_dense_tensor(WeightsData, ATTUNE_FLOAT32, 3, WeightsSizes);
  Parameters.Start.struct_size = sizeof(Parameters);
  Parameter = attune_dense_tensor(ParameterData, ATTUNE_FLOAT32, 2, ParameterSizes);
  for (int I = 0; I < Width * Width; ++I)
    ParameterData[I] = static_cast<float>(I);

  attune_context_options Options = {sizeof(Options), 3, nullptr, nullptr};
  EXPECT_EQ(attune_context_create(&Options, &Context), ATTUNE_OK);
  EXPECT_EQ(pack(), ATTUNE_OK) << attune_last_error();
}

ModuleTest::~ModuleTest() { attune_context_destroy(Context); }

attune_status ModuleTest::forward() { return attune_forward(Context, &Module, &Call); }

attune_status ModuleTest::pack() {
  return attune_pack(Context, &Module, &Parameters, Packed, PackedBytes);
}

void ModuleTest::expectRefused(attune_status Status, const std::string &Text) {
  int Forwards = LastCall.Forwards;
  EXPECT_EQ(forward(), Status) << attune_last_error();
  EXPECT_EQ(attune_last_error(), Text);
  EXPECT_EQ(LastCall.Forwards, Forwards) << "generated code ran with wrong arguments";
}

} // namespace attune_test
