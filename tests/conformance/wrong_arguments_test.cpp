//===- wrong_arguments_test.cpp - Compiled modules called wrongly ---------===//
//
// Every wrong argument gives a status and a text that names it, and leaves the output alone.
//
//===----------------------------------------------------------------------===//
#include "RandomProblem.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
// Tensors of the module below, in order.
enum Tensor { Query, Key, Value, Mask, Out };

const char *const moduleJson = R"({"name":"careful","module":{"embed_dim":16,"num_heads":2},
  "forward":{"need_weights":false,"attn_mask":"bool_2d"}})";
const char *const otherJson = R"({"name":"careful","module":{"embed_dim":16,"num_heads":2},
  "forward":{"need_weights":false,"attn_mask":"bool_2d","is_causal":true}})";
const char *const coreJson = R"({"name":"core","op":"attention",
  "module":{"num_heads":2,"head_dim":16},"forward":{"attn_mask":"float_2d"}})";

/// A call of (N, L, S) = (2, 3, 5) that a test spoils.
class WrongArguments : public testing::Test {
protected:
  explicit WrongArguments(const TestModule &compiled = module()) : compiled(compiled) {
    Random random(3);
    problem = normalProblem(compiled.config(), {2, 3, 5}, random);
    packed = compiled.pack(context, problem);
    call = compiled.place(context, problem, packed, CallStyle{}, random);
    good = call.call;
  }

  static const TestModule &module() {
    static const TestModule once(moduleJson);
    return once;
  }

  attune_tensor &tensor(int index) { return call.views()[index]; }

  /// Spoils the call, expects a refusal that names `text`, and repairs the call.
  void refused(attune_status status, const std::string &text, const std::function<void()> &spoil) {
    SCOPED_TRACE(text);
    spoil();
    const Outcome outcome = compiled.forward(context, call);
    EXPECT_EQ(outcome.status, status) << outcome.text;
    EXPECT_NE(outcome.text.find(text), std::string::npos) << outcome.text;
    for (float value : call.tensors.back().read())
      EXPECT_LT(value, -1e38f) << "the output was written";
    call.call = good;
  }

  void accepted(const std::function<void()> &change) {
    change();
    const Outcome outcome = compiled.forward(context, call);
    EXPECT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
    call.call = good;
  }

  attune::Context context{2};
  const TestModule &compiled;
  Problem problem;
  Memory packed;
  PlacedCall call;
  std::vector<unsigned char> good;
};

class WrongCoreArguments : public WrongArguments {
protected:
  WrongCoreArguments() : WrongArguments(core()) {}

  static const TestModule &core() {
    static const TestModule once(coreJson);
    return once;
  }
};
} // namespace

TEST_F(WrongArguments, NothingWrong) {
  accepted([] {});
}

TEST_F(WrongArguments, NullPointers) {
  EXPECT_EQ(attune_forward(nullptr, &compiled.module(), call.call.data()), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_forward(context, nullptr, call.call.data()), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_forward(context, &compiled.module(), nullptr), ATTUNE_NULL_POINTER);
  const char *const names[] = {"query", "key", "value", "attn_mask", "out"};
  for (int index = Query; index <= Out; ++index)
    refused(ATTUNE_NULL_POINTER, names[index], [&] { tensor(index).data = nullptr; });
  refused(ATTUNE_NULL_POINTER, "packed", [&] { call.fixed().packed = nullptr; });
  refused(ATTUNE_NULL_POINTER, "workspace", [&] { call.fixed().workspace = nullptr; });
}

TEST_F(WrongArguments, StructSizes) {
  for (size_t size : {size_t{0}, size_t{1}, good.size() - 1, good.size() + 1, SIZE_MAX})
    refused(ATTUNE_WRONG_VERSION, "struct_size", [&] { call.fixed().struct_size = size; });
  std::vector<unsigned char> shifted(good.size() + 16);
  for (int offset = 1; offset < 8; ++offset) {
    std::copy(good.begin(), good.end(), shifted.begin() + offset);
    EXPECT_EQ(attune_forward(context, &compiled.module(), shifted.data() + offset),
              ATTUNE_MISALIGNED);
  }
}

TEST_F(WrongArguments, Dtypes) {
  for (int index : {Query, Key, Value, Out})
    for (int dtype : {1, 2, 3, 4, 8, 9, 10, 31, 32, 64, -1})
      refused(ATTUNE_WRONG_DTYPE, "dtype",
              [&] { std::memcpy(&tensor(index).dtype, &dtype, sizeof(dtype)); });
  for (attune_dtype dtype : {ATTUNE_FLOAT32, ATTUNE_INT32, ATTUNE_INT8})
    refused(ATTUNE_WRONG_DTYPE, "attn_mask", [&] { tensor(Mask).dtype = dtype; });
  accepted([&] { tensor(Mask).dtype = ATTUNE_UINT8; });
}

TEST_F(WrongArguments, Ranks) {
  for (int index = Query; index <= Out; ++index)
    for (int32_t rank : {-1, 0, 1, 4, 6, 7, INT32_MAX, INT32_MIN})
      refused(ATTUNE_WRONG_RANK, "rank", [&] { tensor(index).rank = rank; });
}

TEST_F(WrongArguments, Sizes) {
  for (int index = Query; index <= Out; ++index)
    for (int32_t d = 0; d < tensor(index).rank; ++d) {
      refused(ATTUNE_WRONG_SIZE, "size", [&] { tensor(index).sizes[d] = -1; });
      refused(ATTUNE_WRONG_SIZE, "size", [&] { tensor(index).sizes[d] = INT64_MIN; });
    }
  for (int index : {Query, Key, Value, Out})
    for (int64_t columns : {0, 1, 15, 17})
      refused(ATTUNE_WRONG_SIZE, "16", [&] { tensor(index).sizes[2] = columns; });
  refused(ATTUNE_WRONG_SIZE, "value", [&] { tensor(Value).sizes[0] = 4; });
  refused(ATTUNE_WRONG_SIZE, "key", [&] { tensor(Key).sizes[1] = 1; });
  refused(ATTUNE_WRONG_SIZE, "attn_mask", [&] { tensor(Mask).sizes[0] = 5; });
  refused(ATTUNE_WRONG_SIZE, "out", [&] { tensor(Out).sizes[0] = 0; });
  refused(ATTUNE_WRONG_SIZE, "query",
          [&] { tensor(Query).sizes[0] = tensor(Query).sizes[1] = int64_t{1} << 31; });
  refused(ATTUNE_WRONG_SIZE, "query", [&] { tensor(Query).sizes[0] = INT64_MAX; });
}

/// Sizes that fit together, of tensors with more elements than 31 or 32 bits count: the workspace
/// is too small for them, or they are beyond all bounds.
TEST_F(WrongArguments, TensorsOfTooManyElements) {
  const int64_t sizes[] = {(int64_t{1} << 27) + 1, (int64_t{1} << 31) - 1, int64_t{1} << 31,
                           (int64_t{1} << 32) + 3, int64_t{1} << 40,       INT64_MAX};
  struct Place {
    Tensor tensor;
    int dimension;
  };
  const std::vector<Place> symbols[] = {{{Query, 1}, {Key, 1}, {Value, 1}, {Out, 1}},
                                        {{Query, 0}, {Mask, 0}, {Out, 0}},
                                        {{Key, 0}, {Value, 0}, {Mask, 1}}};
  for (int64_t size : sizes)
    for (const std::vector<Place> &places : symbols) {
      for (const Place &place : places)
        tensor(place.tensor).sizes[place.dimension] = size;
      const Outcome outcome = compiled.forward(context, call);
      EXPECT_NE(outcome.status, ATTUNE_OK) << size;
      EXPECT_NE(outcome.text, "") << size;
      call.call = good;
    }
}

/// Tensors without elements need no memory. Every other one is computed as ever.
TEST_F(WrongArguments, EmptyTensorsAreNoMistake) {
  for (int empty = 1; empty < 8; ++empty) {
    SCOPED_TRACE(empty);
    accepted([&] {
      const int64_t n = empty & 1 ? 0 : 2, l = empty & 2 ? 0 : 3, s = empty & 4 ? 0 : 5;
      const std::vector<int64_t> shapes[] = {
          {l, n, 16}, {s, n, 16}, {s, n, 16}, {l, s}, {l, n, 16}};
      for (int index = Query; index <= Out; ++index) {
        attune_tensor &changed = tensor(index);
        bool isEmpty = false;
        for (size_t d = 0; d < shapes[index].size(); ++d) {
          changed.sizes[d] = shapes[index][d];
          isEmpty |= shapes[index][d] == 0;
        }
        if (isEmpty)
          changed.data = nullptr;
      }
    });
  }
}

TEST_F(WrongArguments, Strides) {
  for (int index : {Query, Key, Value, Out}) {
    for (int64_t stride : {int64_t{0}, int64_t{2}, int64_t{-1}, INT64_MIN})
      refused(ATTUNE_WRONG_STRIDE, "stride", [&] { tensor(index).strides[2] = stride; });
    for (int64_t stride : {int64_t{0}, int64_t{-16}, int64_t{17}, int64_t{1} << 31, INT64_MAX})
      refused(ATTUNE_WRONG_STRIDE, "stride", [&] { tensor(index).strides[1] = stride; });
    for (int64_t stride : {int64_t{0}, int64_t{16}, int64_t{33}, int64_t{-32}, INT64_MAX})
      refused(ATTUNE_WRONG_STRIDE, "", [&] { tensor(index).strides[0] = stride; });
  }
  refused(ATTUNE_WRONG_STRIDE, "attn_mask", [&] { tensor(Mask).strides[1] = 2; });
  refused(ATTUNE_WRONG_STRIDE, "attn_mask", [&] { tensor(Mask).strides[0] = -5; });
}

TEST_F(WrongArguments, TensorsNeedTheAlignmentOfTheirElements) {
  auto shifted = [](void *pointer, int offset) { return static_cast<char *>(pointer) + offset; };
  for (int offset = 1; offset < 64; ++offset) {
    for (int index : {Query, Key, Value})
      if (offset % 4 == 0)
        accepted([&] { tensor(index).data = shifted(tensor(index).data, offset); });
    accepted([&] { tensor(Mask).data = shifted(tensor(Mask).data, offset); });
  }
}

TEST_F(WrongArguments, Misalignment) {
  auto shifted = [](const void *pointer, int offset) {
    return reinterpret_cast<void *>(reinterpret_cast<uintptr_t>(pointer) + offset);
  };
  for (int offset = 1; offset < 64; ++offset) {
    for (int index : {Query, Key, Value, Out})
      if (offset % 4 != 0)
        refused(ATTUNE_MISALIGNED, "beyond a multiple of 4",
                [&] { tensor(index).data = shifted(tensor(index).data, offset); });
    refused(ATTUNE_MISALIGNED, "workspace",
            [&] { call.fixed().workspace = shifted(call.fixed().workspace, offset); });
    refused(ATTUNE_MISALIGNED, "packed",
            [&] { call.fixed().packed = shifted(call.fixed().packed, offset); });
  }
}

TEST_F(WrongArguments, Aliases) {
  for (int index : {Query, Key, Value})
    refused(ATTUNE_ALIASED, "overlaps", [&] { tensor(index).data = tensor(Out).data; });
  refused(ATTUNE_ALIASED, "overlaps", [&] {
    tensor(Query).data = static_cast<float *>(tensor(Out).data) + 95; // its last element
  });
  refused(ATTUNE_ALIASED, "overlaps", [&] {
    tensor(Mask).data = static_cast<char *>(tensor(Out).data) - 14; // the mask's last byte
  });
  refused(ATTUNE_ALIASED, "overlaps", [&] { tensor(Out).data = call.fixed().workspace; });
  accepted([&] { tensor(Value).data = tensor(Key).data; });
}

TEST_F(WrongArguments, BufferSizes) {
  for (size_t size : {size_t{0}, size_t{1}, call.workspace.size() - 1})
    refused(ATTUNE_BUFFER_TOO_SMALL, "workspace", [&] { call.fixed().workspace_size = size; });
  for (size_t size : {size_t{0}, size_t{63}, packed.size() - 1})
    refused(ATTUNE_BUFFER_TOO_SMALL, "packed", [&] { call.fixed().packed_size = size; });
}

TEST_F(WrongArguments, PackedHeaders) {
  attune::AlignedBuffer copy(packed.size());
  for (size_t byte = 0; byte < 32; ++byte) {
    std::memcpy(copy.data(), packed.data(), packed.size());
    copy.as<unsigned char>()[byte] ^= 0x40;
    refused(ATTUNE_WRONG_PACKED, "packed", [&] { call.fixed().packed = copy.data(); });
  }
  std::memset(copy.data(), 0, packed.size());
  refused(ATTUNE_WRONG_PACKED, "packed", [&] { call.fixed().packed = copy.data(); });
  const TestModule other(otherJson);
  const Memory foreign = other.pack(context, problem);
  ASSERT_EQ(foreign.size(), packed.size());
  refused(ATTUNE_WRONG_PACKED, "hash", [&] { call.fixed().packed = foreign.data(); });
}

TEST_F(WrongArguments, PackRefusesToo) {
  const attune_module &module = compiled.module();
  attune::AlignedBuffer block(module.packed_size + 64);
  std::vector<unsigned char> bytes(sizeof(attune_parameters) + 4 * sizeof(attune_tensor));
  auto *parameters = reinterpret_cast<attune_tensor *>(bytes.data() + sizeof(attune_parameters));
  const size_t size = bytes.size();
  std::memcpy(bytes.data(), &size, sizeof(size));
  for (int k = 0; k < 4; ++k) {
    HostTensor &tensor = problem.parameters[k];
    parameters[k] = attune_dense_tensor(tensor.values.data(), ATTUNE_FLOAT32, tensor.sizes.size(),
                                        tensor.sizes.data());
  }
  auto pack = [&](void *to, size_t room) {
    return attune_pack(context, &module, bytes.data(), to, room);
  };
  const size_t needed = module.packed_size;
  EXPECT_EQ(pack(block.data(), needed), ATTUNE_OK);
  EXPECT_EQ(pack(nullptr, needed), ATTUNE_NULL_POINTER);
  EXPECT_EQ(pack(block.data(), needed - 1), ATTUNE_BUFFER_TOO_SMALL);
  for (int offset = 1; offset < 64; ++offset)
    EXPECT_EQ(pack(block.as<char>() + offset, needed), ATTUNE_MISALIGNED) << offset;
  EXPECT_EQ(attune_pack(context, &module, nullptr, block.data(), needed), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_pack(nullptr, &module, bytes.data(), block.data(), needed), ATTUNE_NULL_POINTER);
  EXPECT_EQ(attune_pack(context, nullptr, bytes.data(), block.data(), needed), ATTUNE_NULL_POINTER);
  for (int k = 0; k < 4; ++k) {
    const attune_tensor right = parameters[k];
    parameters[k].data = nullptr;
    EXPECT_EQ(pack(block.data(), needed), ATTUNE_NULL_POINTER);
    parameters[k].data = block.data();
    EXPECT_EQ(pack(block.data(), needed), ATTUNE_ALIASED);
    parameters[k] = right;
    ++parameters[k].sizes[0];
    EXPECT_EQ(pack(block.data(), needed), ATTUNE_WRONG_SIZE);
    parameters[k] = right;
    parameters[k].dtype = ATTUNE_FLOAT64;
    EXPECT_EQ(pack(block.data(), needed), ATTUNE_WRONG_DTYPE);
    parameters[k] = right;
    parameters[k].strides[right.rank - 1] = 2;
    EXPECT_EQ(pack(block.data(), needed), ATTUNE_WRONG_STRIDE);
    parameters[k] = right;
  }
  std::memset(bytes.data(), 0, sizeof(size));
  EXPECT_EQ(pack(block.data(), needed), ATTUNE_WRONG_VERSION);
}

TEST_F(WrongCoreArguments, StridesAndMasks) {
  refused(ATTUNE_WRONG_STRIDE, "out", [&] { tensor(Out).strides[1] = 0; });
  refused(ATTUNE_WRONG_STRIDE, "overlap", [&] { tensor(Out).strides[2] = 15; });
  refused(ATTUNE_WRONG_STRIDE, "stride", [&] { tensor(Key).strides[2] = int64_t{1} << 31; });
  refused(ATTUNE_WRONG_STRIDE, "span", [&] { tensor(Key).strides[0] = INT64_MAX; });
  refused(ATTUNE_WRONG_DTYPE, "attn_mask", [&] { tensor(Mask).dtype = ATTUNE_BOOL; });
  refused(ATTUNE_MISALIGNED, "attn_mask",
          [&] { tensor(Mask).data = static_cast<char *>(tensor(Mask).data) + 2; });
  accepted([&] { tensor(Key).strides[0] = tensor(Key).strides[1] = 0; });
}

TEST_F(WrongArguments, WorkspaceSizesNeverWrapAround) {
  auto bytes = [&](int64_t n, int64_t l, int64_t s) {
    return attune_workspace_size(context, &compiled.module(), n, l, s);
  };
  for (int dimension = 0; dimension < 3; ++dimension) {
    size_t before = 0;
    for (int bit = 0; bit < 63; ++bit) {
      int64_t sizes[3] = {1, 1, 1};
      sizes[dimension] = int64_t{1} << bit;
      const size_t now = bytes(sizes[0], sizes[1], sizes[2]);
      EXPECT_GE(now, before) << "dimension " << dimension << ", 2^" << bit;
      before = now;
    }
    int64_t sizes[3] = {1, 1, 1};
    sizes[dimension] = -1;
    EXPECT_EQ(bytes(sizes[0], sizes[1], sizes[2]), 0u);
  }
  const int64_t large = int64_t{1} << 21;
  EXPECT_GE(bytes(large, large, large), bytes(1 << 10, 1 << 10, 1 << 10));
  EXPECT_EQ(bytes(INT64_MAX, INT64_MAX, INT64_MAX), SIZE_MAX);
}
