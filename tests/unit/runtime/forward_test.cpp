#include "module_fixture.h"

#include <atomic>
#include <cstring>
#include <thread>

using namespace attune_test;

using Forward = ModuleTest;

TEST_F(Forward, RunsGeneratedCode) {
  ASSERT_EQ(forward(), ATTUNE_OK) << attune_last_error();
  EXPECT_EQ(LastCall.Forwards, 1);
  EXPECT_EQ(LastCall.Workers, 3);
  EXPECT_EQ(LastCall.Sizes.value[ATTUNE_SIZE_BATCH], 2);
  EXPECT_EQ(LastCall.Sizes.value[ATTUNE_SIZE_TARGET], 3);
  EXPECT_EQ(LastCall.Sizes.value[ATTUNE_SIZE_SOURCE], 5);
  EXPECT_EQ(LastCall.Packed, Packed);
  EXPECT_EQ(LastCall.Workspace, Workspace);
  EXPECT_EQ(LastCall.Tensors[Output].data, OutputData);
}

TEST_F(Forward, WithoutABatchDimensionTheBatchIsOne) {
  Module.argument_count = 1;
  Specs[0].rank = 1;
  Specs[0].sizes[0] = {ATTUNE_SIZE_TARGET, 0, 1, 0};
  Call.Tensors[Query].rank = 1;
  Call.Tensors[Query].sizes[0] = 3;
  Call.Tensors[Query].strides[0] = 1;
  Call.struct_size = sizeof(attune_call) + sizeof(attune_tensor);
  ASSERT_EQ(forward(), ATTUNE_OK) << attune_last_error();
  EXPECT_EQ(LastCall.Sizes.value[ATTUNE_SIZE_BATCH], 1);
  EXPECT_EQ(LastCall.Sizes.value[ATTUNE_SIZE_SOURCE], 0);
}

//===- Pointers and versions ------------------------------------------------------------------===//

TEST_F(Forward, NullPointers) {
  EXPECT_EQ(attune_forward(nullptr, &Module, &Call), ATTUNE_NULL_POINTER);
  EXPECT_STREQ(attune_last_error(), "attune_forward: context: is null, expected a context");
  EXPECT_EQ(attune_forward(Context, nullptr, &Call), ATTUNE_NULL_POINTER);
  EXPECT_STREQ(attune_last_error(), "attune_forward: module: is null, expected a module");
  EXPECT_EQ(attune_forward(Context, &Module, nullptr), ATTUNE_NULL_POINTER);
  EXPECT_STREQ(attune_last_error(),
               "attention_forward: arguments: is null, expected attention_arguments");
}

TEST_F(Forward, ModuleOfAnotherVersion) {
  Module.struct_size = 8;
  expectRefused(ATTUNE_WRONG_VERSION, "attune_forward: module: struct_size is 8, expected " +
                                          std::to_string(sizeof(attune_module)));
  Module.struct_size = sizeof(attune_module);
  Module.abi_version = 9;
  expectRefused(ATTUNE_WRONG_VERSION,
                "attune_forward: module: was made for version 9 of the interface, expected 3");
}

TEST_F(Forward, DamagedDescriptor) {
  const std::string Text = "attune_forward: module: its descriptor is damaged";
  attune_module Good = Module;
  Module.argument_count = -1;
  expectRefused(ATTUNE_WRONG_VERSION, Text);
  Module.argument_count = 1000;
  expectRefused(ATTUNE_WRONG_VERSION, Text);
  Module = Good;
  Module.arguments = nullptr;
  expectRefused(ATTUNE_WRONG_VERSION, Text);
  Module = Good;
  Specs[0].rank = 7;
  expectRefused(ATTUNE_WRONG_VERSION, Text);
  Specs[0].rank = 3;
  const attune_size_spec Damaged[] = {{ATTUNE_SIZE_BATCH, 0, 0, 0},
                                      {ATTUNE_SIZE_BATCH, 0, -1, 0},
                                      {ATTUNE_SIZE_BATCH, 0, 1, -1},
                                      {ATTUNE_SYMBOLS, 0, 1, 0},
                                      {-1, 0, 1, 0},
                                      {ATTUNE_SIZE_FIXED, 0, -1, 0},
                                      {ATTUNE_SIZE_FIXED, 0, 1, 1}};
  for (const attune_size_spec &Size : Damaged) {
    Specs[0].sizes[0] = Size;
    expectRefused(ATTUNE_WRONG_VERSION, Text);
  }
  Specs[0].sizes[0] = {ATTUNE_SIZE_BATCH, 0, 1, 0};
  std::swap(Specs[Bias], Specs[Output]); // An input after an output.
  expectRefused(ATTUNE_WRONG_VERSION, Text);
  std::swap(Specs[Bias], Specs[Output]);
  Module.forward = nullptr;
  expectRefused(ATTUNE_WRONG_VERSION, "attention_forward: module: its descriptor is damaged");
}

TEST_F(Forward, UnsuitableCpu) {
  Module.cpu_features = 1u << 30;
  expectRefused(ATTUNE_UNSUITABLE_CPU, "attention_forward: module: needs CPU features that are "
                                       "missing here: unknown features 0x40000000");
  EXPECT_EQ(attune_workspace_size(Context, &Module, 1, 1, 1), 0u);
  Module.cpu_features = attune_cpu_features();
  EXPECT_EQ(forward(), ATTUNE_OK);
  for (uint32_t Bit = 0; Bit <= 17; ++Bit) {
    Module.cpu_features = 1u << Bit;
    if (attune_cpu_features() & Module.cpu_features)
      continue;
    EXPECT_EQ(forward(), ATTUNE_UNSUITABLE_CPU);
    EXPECT_EQ(std::string(attune_last_error()).find("unknown"), std::string::npos);
  }
}

TEST_F(Forward, TakesTheFirstModuleThatTheCpuCanRun) {
  attune_module Last = Module, Middle = Module;
  Last.cpu_features = 0;
  Middle.cpu_features = 1u << 30;
  Middle.fallback = &Last;
  Module.cpu_features = 3u << 30;
  Module.fallback = &Middle;
  Last.hash = Middle.hash = 5;
  // The block that the test packed is that of another module.
  EXPECT_EQ(forward(), ATTUNE_WRONG_PACKED);
  ASSERT_EQ(pack(), ATTUNE_OK) << attune_last_error();
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
  EXPECT_GT(attune_workspace_size(Context, &Module, 1, 1, 1), 0u);
  Last.cpu_features = 1u << 29;
  expectRefused(ATTUNE_UNSUITABLE_CPU, "attention_forward: module: needs CPU features that are "
                                       "missing here: unknown features 0x20000000");
  Last.cpu_features = 0;
  Last.abi_version = 1;
  EXPECT_EQ(forward(), ATTUNE_WRONG_VERSION);
  Module.cpu_features = 0;
  EXPECT_EQ(forward(), ATTUNE_WRONG_PACKED) << "the first one fits";
}

TEST_F(Forward, BakedParameters) {
  Module.baked = ParameterData;
  Module.parameter_count = 0;
  expectRefused(
      ATTUNE_WRONG_PACKED,
      "attention_forward: packed: is not null, expected null: this module's parameters are "
      "part of its code");
  Call.packed = nullptr;
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
  EXPECT_EQ(LastCall.Packed, ParameterData);
}

TEST_F(Forward, ArgumentsOfAnotherSize) {
  size_t Right = Call.struct_size;
  for (size_t Wrong : {size_t{0}, Right - 8, Right + 112, SIZE_MAX}) {
    Call.struct_size = Wrong;
    expectRefused(ATTUNE_WRONG_VERSION, "attention_forward: arguments: struct_size is " +
                                            std::to_string(Wrong) + ", expected " +
                                            std::to_string(Right));
  }
}

TEST_F(Forward, MisalignedArguments) {
  EXPECT_EQ(attune_forward(Context, &Module, reinterpret_cast<char *>(&Call) + 1),
            ATTUNE_MISALIGNED);
}

TEST_F(Forward, StridesThatOverflow) {
  Call.Tensors[Query].strides[0] = INT64_MAX / 2;
  expectRefused(ATTUNE_WRONG_STRIDE, "attention_forward: query: its sizes and strides span too "
                                     "much, expected fewer than 2^63 bytes");
}

TEST_F(Forward, EmptySizesAreCalled) {
  Call.Tensors[Key].sizes[1] = Call.Tensors[Value].sizes[1] = 0;
  Call.Tensors[Mask].sizes[1] = Call.Tensors[Bias].sizes[1] = 0;
  Call.Tensors[Weights].sizes[2] = 1; // The appended column alone.
  for (Argument Empty : {Key, Value, Mask, Bias}) {
    Call.Tensors[Empty].data = nullptr;
    Call.Tensors[Empty].strides[0] = -77;
  }
  Call.workspace = nullptr; // None is needed without keys.
  Call.workspace_size = 0;
  ASSERT_EQ(forward(), ATTUNE_OK) << attune_last_error();
  EXPECT_EQ(LastCall.Sizes.value[ATTUNE_SIZE_SOURCE], 0);
}

//===- Strides --------------------------------------------------------------------------------===//

TEST_F(Forward, InnermostStride) {
  Call.Tensors[Query].strides[2] = 2;
  expectRefused(ATTUNE_WRONG_STRIDE,
                "attention_forward: query: stride of dimension 2 is 2, expected 1");
  Call.Tensors[Query].strides[2] = 1;
  Call.Tensors[Mask].strides[1] = 0;
  expectRefused(ATTUNE_WRONG_STRIDE,
                "attention_forward: mask: stride of dimension 1 is 0, expected 1");
}

TEST_F(Forward, NegativeStrides) {
  Call.Tensors[Mask].strides[0] = -5;
  expectRefused(ATTUNE_WRONG_STRIDE,
                "attention_forward: mask: stride of dimension 0 is -5, expected 0 or more");
  Call.Tensors[Mask].strides[0] = INT64_MIN;
  EXPECT_EQ(forward(), ATTUNE_WRONG_STRIDE);
}

TEST_F(Forward, BroadcastStrides) {
  Call.Tensors[Mask].strides[0] = 0;
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
  Call.Tensors[Query].strides[0] = 0;
  expectRefused(ATTUNE_WRONG_STRIDE,
                "attention_forward: query: stride of dimension 0 is 0, expected 1 or more");
  Call.Tensors[Query].strides[0] = 24;
  Call.Tensors[Output].strides[0] = 0;
  expectRefused(ATTUNE_WRONG_STRIDE,
                "attention_forward: output: stride of dimension 0 is 0, expected 1 or more");
}

TEST_F(Forward, LargeRowStride) {
  Call.Tensors[Mask].strides[0] = int64_t{1} << 31;
  expectRefused(ATTUNE_WRONG_STRIDE, "attention_forward: mask: stride of dimension 0 is "
                                     "2147483648, expected less than 2^31");
  // Spans so much that it may overlap the workspace; the stride itself is fine.
  Call.Tensors[Mask].strides[0] = (int64_t{1} << 31) - 1;
  EXPECT_NE(forward(), ATTUNE_WRONG_STRIDE) << attune_last_error();
  // Without a second row, batch elements are the rows.
  for (Argument A : {Query, Output, Weights, Mask})
    Call.Tensors[A].sizes[A == Mask ? 0 : 1] = 1;
  Call.Tensors[Query].strides[0] = int64_t{1} << 31;
  expectRefused(ATTUNE_WRONG_STRIDE, "attention_forward: query: stride of dimension 0 is "
                                     "2147483648, expected less than 2^31");
}

TEST_F(Forward, UnevenRows) {
  Call.Tensors[Key].strides[0] = 48;
  expectRefused(ATTUNE_WRONG_STRIDE, "attention_forward: key: stride of dimension 0 is 48, "
                                     "expected 40 (all rows evenly spaced)");
  Call.Tensors[Key].strides[0] = 60;
  Call.Tensors[Key].strides[1] = 12;
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
}

TEST_F(Forward, UnusedStridesAreMadeRegular) {
  // One query of each batch element, 16 elements apart; the row stride means nothing.
  for (Argument A : {Query, Output, Weights, Mask})
    Call.Tensors[A].sizes[A == Mask ? 0 : 1] = 1;
  Call.Tensors[Query].strides[0] = 16;
  Call.Tensors[Query].strides[1] = -999;
  Call.Tensors[Mask].strides[0] = INT64_MIN;
  Call.Tensors[Output].strides[1] = int64_t{1} << 40;
  ASSERT_EQ(forward(), ATTUNE_OK) << attune_last_error();
  EXPECT_EQ(LastCall.Tensors[Query].strides[1], 16) << "the distance of even rows";
  EXPECT_EQ(LastCall.Tensors[Query].strides[0], 16);
  EXPECT_EQ(LastCall.Tensors[Mask].strides[0], 5);
  EXPECT_EQ(LastCall.Tensors[Output].strides[1], 8);
}

TEST_F(Forward, OutputsThatOverlapThemselves) {
  Call.Tensors[Output].strides[0] = 23;
  expectRefused(ATTUNE_WRONG_STRIDE, "attention_forward: output: stride of dimension 0 is 23, "
                                     "expected 24 or more, or its elements overlap each other");
  // (L, N, E) in memory is as good an output.
  Call.Tensors[Output].strides[0] = 8;
  Call.Tensors[Output].strides[1] = 16;
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
}

//===- Memory ---------------------------------------------------------------------------------===//

TEST_F(Forward, NullData) {
  Call.Tensors[Bias].data = nullptr;
  expectRefused(ATTUNE_NULL_POINTER, "attention_forward: bias: data is null, expected a pointer "
                                     "because no size is 0");
}

TEST_F(Forward, MisalignedData) {
  for (int Offset : {1, 2, 3, 5, 63}) {
    Call.Tensors[Query].data = reinterpret_cast<char *>(QueryData) + Offset;
    expectRefused(ATTUNE_MISALIGNED, "attention_forward: query: data is " +
                                         std::to_string(Offset % 4) +
                                         " bytes beyond a multiple of 4, expected alignment to 4 "
                                         "bytes");
  }
  Call.Tensors[Query].data = QueryData + 1;
  EXPECT_EQ(forward(), ATTUNE_OK) << "floats need no more than their own alignment";
}

TEST_F(Forward, BeyondTheAddressSpace) {
  Call.Tensors[Query].data = reinterpret_cast<void *>(UINTPTR_MAX - 7);
  expectRefused(ATTUNE_WRONG_SIZE, "attention_forward: query: its sizes reach beyond the address "
                                   "space, expected those of its memory");
}

TEST_F(Forward, OutputsThatOverlapOtherMemory) {
  auto Refused = [&](const char *Other) {
    expectRefused(ATTUNE_ALIASED, std::string("attention_forward: output: its memory overlaps "
                                              "that of ") +
                                      Other + ", expected memory of its own");
  };
  Call.Tensors[Output].data = QueryData;
  Refused("query");
  Call.Tensors[Output].data = ValueData + 79;
  Refused("value");
  Call.Tensors[Output].data = Packed;
  Refused("packed");
  Call.Tensors[Output].data = Workspace + 252;
  Refused("workspace");
  Call.Tensors[Output].data = ValueData + 80; // Just behind.
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
  // Inputs may share memory.
  Call.Tensors[Value].data = KeyData;
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
}

TEST_F(Forward, EachOutputNeedsMemoryOfItsOwn) {
  auto Refused = [&](const char *One, const char *Other) {
    expectRefused(ATTUNE_ALIASED, std::string("attention_forward: ") + One +
                                      ": its memory overlaps that of " + Other +
                                      ", expected memory of its own");
  };
  Call.Tensors[Weights].data = OutputData + 47; // The output's last element.
  Refused("output", "weights");
  Call.Tensors[Weights].data = OutputData + 48;
  EXPECT_EQ(forward(), ATTUNE_OK) << attune_last_error();
  Call.Tensors[Weights].data = KeyData;
  Refused("weights", "key");
  Call.Tensors[Weights].data = Workspace;
  Refused("weights", "workspace");
}

TEST_F(Forward, WorkspaceThatOverlapsInputs) {
  Call.workspace = QueryData;
  expectRefused(ATTUNE_ALIASED, "attention_forward: workspace: its memory overlaps that of query, "
                                "expected memory of its own");
}

TEST_F(Forward, Workspace) {
  EXPECT_EQ(attune_workspace_size(Context, &Module, 2, 3, 5), size_t{WorkspaceBytes});
  Call.workspace = nullptr;
  expectRefused(ATTUNE_NULL_POINTER, "attention_forward: workspace: is null, expected 256 bytes");
  Call.workspace = Workspace + 8;
  expectRefused(ATTUNE_MISALIGNED, "attention_forward: workspace: is 8 bytes beyond a multiple of "
                                   "64, expected alignment to 64 bytes");
  Call.workspace = Workspace;
  Call.workspace_size = 255;
  expectRefused(ATTUNE_BUFFER_TOO_SMALL,
                "attention_forward: workspace: has 255 bytes, expected 256 or more");
}

TEST_F(Forward, WorkspaceSizeOfWrongArguments) {
  EXPECT_EQ(attune_workspace_size(Context, &Module, -1, 3, 5), 0u);
  EXPECT_EQ(attune_workspace_size(Context, &Module, 2, -3, 5), 0u);
  EXPECT_EQ(attune_workspace_size(Context, &Module, 2, 3, -5), 0u);
  EXPECT_EQ(attune_workspace_size(nullptr, &Module, 2, 3, 5), 0u);
  EXPECT_EQ(attune_workspace_size(Context, nullptr, 2, 3, 5), 0u);
  EXPECT_EQ(attune_workspace_size(Context, &Module, 2000000, 3, 5), SIZE_MAX) << "cannot exist";
}

TEST_F(Forward, IsReentrant) {
  std::atomic<int> Failures{0};
  Module.forward = [](attune_context *, const attune_tensor *, const void *, void *,
                      const attune_call_sizes *, int64_t) {};
  std::vector<std::thread> Threads;
  for (int T = 0; T < 4; ++T)
    Threads.emplace_back([&, T] {
      Arguments Mine = Call;
      if (T % 2)
        Mine.Tensors[Value].sizes[1] = 6;
      for (int I = 0; I < 500; ++I)
        if (attune_forward(Context, &Module, &Mine) != (T % 2 ? ATTUNE_WRONG_SIZE : ATTUNE_OK))
          ++Failures;
    });
  for (std::thread &Thread : Threads)
    Thread.join();
  EXPECT_EQ(Failures, 0);
}
