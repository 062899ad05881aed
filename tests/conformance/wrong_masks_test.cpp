//===- wrong_masks_test.cpp - Masks and weights given wrongly -------------===//
//
// As wrong_arguments_test.cpp, for the tensors that a module may have besides query, key and value.
//
//===----------------------------------------------------------------------===//
#include "TestModule.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
const char *const fullJson = R"({"name":"full",
  "module":{"embed_dim":16,"num_heads":2,"batch_first":true,"add_bias_kv":true},
  "forward":{"attn_mask":"float_3d","key_padding_mask":"bool"}})";
const char *const unbatchedJson = R"({"name":"lone","module":{"embed_dim":16,"num_heads":2},
  "forward":{"batched":false,"attn_mask":"bool_3d","key_padding_mask":"float"}})";

/// A dense call of (N, L, S) = (2, 3, 5) with both masks and weights, in memory with room for gaps,
/// that a test spoils.
class WrongMasks : public testing::Test {
protected:
  enum Tensor { Query, Key, Value, Mask, Padding, Out, Weights, Count };
  static constexpr size_t room = 4096; // bytes of each tensor
  static constexpr unsigned char untouched = 0xa5;

  explicit WrongMasks(const TestModule &compiled = full()) : compiled(compiled) {
    const Config &config = compiled.config();
    const CallSizes sizes = {config.forward.batched ? 2 : 1, 3, 5};
    std::vector<InterfaceTensor> specs = interfaceInputs(config);
    for (const InterfaceTensor &spec : interfaceOutputs(config))
      specs.push_back(spec);
    for (int k = 0; k < Count; ++k) {
      const std::vector<int64_t> shape = shapeOf(specs[k], sizes);
      std::memset(memory[k], k < Out ? 0 : untouched, room);
      call.tensors[k] = attune_dense_tensor(
          memory[k], specs[k].type == InterfaceType::Mask ? ATTUNE_BOOL : ATTUNE_FLOAT32,
          shape.size(), shape.data());
    }
    for (const InterfaceTensor &spec : interfaceParameters(config)) {
      const std::vector<int64_t> shape = shapeOf(spec, sizes);
      parameters.push_back(
          attune_dense_tensor(zeros.data(), ATTUNE_FLOAT32, shape.size(), shape.data()));
    }
    packed = attune::AlignedBuffer(compiled.module().packed_size);
    EXPECT_EQ(pack(), ATTUNE_OK) << attune_last_error();
    workspace = attune::AlignedBuffer(attune_workspace_size(
        context, &compiled.module(), sizes.batch, sizes.target, sizes.source));
    call.fixed = {sizeof(call), packed.data(), packed.size(), workspace.data(), workspace.size()};
    good = call;
  }

  static const TestModule &full() {
    static const TestModule once(fullJson);
    return once;
  }

  attune_status pack() {
    std::vector<unsigned char> bytes(sizeof(attune_parameters) +
                                     parameters.size() * sizeof(attune_tensor));
    const attune_parameters fixed = {bytes.size()};
    std::memcpy(bytes.data(), &fixed, sizeof(fixed));
    std::memcpy(bytes.data() + sizeof(fixed), parameters.data(), bytes.size() - sizeof(fixed));
    return attune_pack(context, &compiled.module(), bytes.data(), packed.data(), packed.size());
  }

  attune_tensor &tensor(Tensor name) { return call.tensors[name]; }

  /// Spoils the call, expects a refusal that says `text`, and repairs the call.
  void refused(attune_status status, const std::string &text, const std::function<void()> &spoil) {
    SCOPED_TRACE(text);
    spoil();
    EXPECT_EQ(attune_forward(context, &compiled.module(), &call), status);
    EXPECT_NE(std::string(attune_last_error()).find(text), std::string::npos)
        << attune_last_error();
    for (Tensor output : {Out, Weights})
      EXPECT_EQ(std::count(memory[output], memory[output] + room, untouched), room)
          << "an output was written";
    call = good;
  }

  void accepted(const std::function<void()> &change) {
    change();
    EXPECT_EQ(attune_forward(context, &compiled.module(), &call), ATTUNE_OK) << attune_last_error();
    call = good;
  }

  attune::Context context{2};
  const TestModule &compiled;
  alignas(64) unsigned char memory[Count][room];
  std::vector<float> zeros = std::vector<float>(1024);
  std::vector<attune_tensor> parameters;
  attune::AlignedBuffer packed, workspace;
  struct {
    attune_call fixed;
    attune_tensor tensors[Count];
  } call, good;
};

class WrongUnbatchedMasks : public WrongMasks {
protected:
  WrongUnbatchedMasks() : WrongMasks(unbatched()) {}

  static const TestModule &unbatched() {
    static const TestModule once(unbatchedJson);
    return once;
  }
};
} // namespace

TEST_F(WrongMasks, Dtypes) {
  for (attune_dtype dtype :
       {ATTUNE_BOOL, ATTUNE_UINT8, ATTUNE_INT32, ATTUNE_FLOAT64, ATTUNE_FLOAT16, ATTUNE_BFLOAT16})
    refused(ATTUNE_WRONG_DTYPE,
            std::string("attn_mask: dtype is ") + attune_dtype_name(dtype) + ", expected float32",
            [&] { tensor(Mask).dtype = dtype; });
  for (attune_dtype dtype : {ATTUNE_FLOAT32, ATTUNE_INT8, ATTUNE_INT32, ATTUNE_INT64})
    refused(ATTUNE_WRONG_DTYPE,
            std::string("key_padding_mask: dtype is ") + attune_dtype_name(dtype) +
                ", expected bool or uint8",
            [&] { tensor(Padding).dtype = dtype; });
  refused(ATTUNE_WRONG_DTYPE, "weights: dtype is float64, expected float32",
          [&] { tensor(Weights).dtype = ATTUNE_FLOAT64; });
  accepted([&] { tensor(Padding).dtype = ATTUNE_UINT8; });
}

TEST_F(WrongMasks, Sizes) {
  for (int64_t rows : {1, 2, 3, 8}) // (1, L, S) is an error in PyTorch, too
    refused(ATTUNE_WRONG_SIZE,
            "attn_mask: size of dimension 0 is " + std::to_string(rows) +
                ", expected 4 (2 x batch size 2, from query)",
            [&] { tensor(Mask).sizes[0] = rows; });
  refused(ATTUNE_WRONG_SIZE, "attn_mask: size of dimension 2 is 6, expected 5 (source length, ",
          [&] { tensor(Mask).sizes[2] = 6; }); // appended columns have no mask
  refused(ATTUNE_WRONG_SIZE, "key_padding_mask: size of dimension 0 is 1, expected 2 (batch size",
          [&] { tensor(Padding).sizes[0] = 1; });
  refused(ATTUNE_WRONG_SIZE, "key_padding_mask: size of dimension 1 is 6, expected 5 (source",
          [&] { tensor(Padding).sizes[1] = 6; });
  for (int64_t columns : {0, 5, 7})
    refused(ATTUNE_WRONG_SIZE,
            "weights: size of dimension 2 is " + std::to_string(columns) +
                ", expected 6 (source length 5 + 1, from key)",
            [&] { tensor(Weights).sizes[2] = columns; });
  refused(ATTUNE_WRONG_SIZE, "weights: size of dimension 1 is 5, expected 3 (target length",
          [&] { tensor(Weights).sizes[1] = 5; });
}

TEST_F(WrongMasks, Ranks) {
  refused(ATTUNE_WRONG_RANK, "attn_mask: rank is 2, expected 3", [&] { tensor(Mask).rank = 2; });
  refused(ATTUNE_WRONG_RANK, "key_padding_mask: rank is 1, expected 2",
          [&] { tensor(Padding).rank = 1; });
  refused(ATTUNE_WRONG_RANK, "weights: rank is 4, expected 3", [&] { tensor(Weights).rank = 4; });
}

TEST_F(WrongMasks, Strides) {
  for (Tensor name : {Mask, Padding, Weights})
    refused(ATTUNE_WRONG_STRIDE, "expected 1",
            [&] { tensor(name).strides[tensor(name).rank - 1] = 2; });
  refused(ATTUNE_WRONG_STRIDE, "attn_mask", [&] { tensor(Mask).strides[1] = -5; });
  refused(ATTUNE_WRONG_STRIDE, "key_padding_mask", [&] { tensor(Padding).strides[0] = -5; });
  refused(ATTUNE_WRONG_STRIDE, "weights: stride of dimension 1 is 5, expected 6 or more",
          [&] { tensor(Weights).strides[1] = 5; });
  refused(ATTUNE_WRONG_STRIDE, "weights", [&] { tensor(Weights).strides[0] = 0; });
  // Rows need not be even; those of masks may be the same for all.
  accepted([&] { tensor(Mask).strides[0] = tensor(Mask).strides[1] = 0; });
  accepted([&] { tensor(Mask).strides[0] = 50; });
  accepted([&] { tensor(Padding).strides[0] = 0; });
  accepted([&] { tensor(Padding).strides[0] = 77; });
  accepted([&] {
    tensor(Weights).strides[0] = 7;
    tensor(Weights).strides[1] = 20;
  });
}

TEST_F(WrongMasks, Aliases) {
  auto refusedAt = [&](Tensor name, void *data, const std::string &text) {
    refused(ATTUNE_ALIASED, text, [&] { tensor(name).data = data; });
  };
  for (Tensor input : {Query, Key, Value, Mask, Padding})
    refusedAt(Weights, memory[input], "weights: its memory overlaps that of ");
  refusedAt(Weights, memory[Out] + (2 * 3 * 16 - 1) * sizeof(float),
            "out: its memory overlaps that of weights");
  refusedAt(Weights, workspace.data(), "weights: its memory overlaps that of workspace");
  refusedAt(Weights, packed.data(), "weights: its memory overlaps that of packed");
  refusedAt(Mask, memory[Weights], "weights: its memory overlaps that of attn_mask");
  refused(ATTUNE_NULL_POINTER, "weights: data is null", [&] { tensor(Weights).data = nullptr; });
  refused(ATTUNE_MISALIGNED, "weights", [&] { tensor(Weights).data = memory[Weights] + 2; });
}

TEST_F(WrongMasks, AppendedRowsMustBeDense) {
  const std::vector<InterfaceTensor> specs = interfaceParameters(compiled.config());
  for (size_t k = 0; k < specs.size(); ++k) {
    if (specs[k].name != "bias_k" && specs[k].name != "bias_v")
      continue;
    const attune_tensor right = parameters[k];
    parameters[k].strides[2] = 2;
    EXPECT_EQ(pack(), ATTUNE_WRONG_STRIDE);
    EXPECT_NE(std::string(attune_last_error()).find(specs[k].name), std::string::npos);
    parameters[k] = right;
    parameters[k].sizes[2] = 8;
    EXPECT_EQ(pack(), ATTUNE_WRONG_SIZE);
    parameters[k] = right;
    parameters[k].strides[0] = parameters[k].strides[1] = -1; // of size 1: never used
    EXPECT_EQ(pack(), ATTUNE_OK) << attune_last_error();
    parameters[k] = right;
  }
}

TEST_F(WrongUnbatchedMasks, RanksAndSizes) {
  refused(ATTUNE_WRONG_RANK, "key_padding_mask: rank is 2, expected 1",
          [&] { tensor(Padding).rank = 2; });
  refused(ATTUNE_WRONG_SIZE, "key_padding_mask: size of dimension 0 is 4, expected 5",
          [&] { tensor(Padding).sizes[0] = 4; });
  refused(ATTUNE_WRONG_SIZE, "attn_mask: size of dimension 0 is 1, expected 2",
          [&] { tensor(Mask).sizes[0] = 1; });
  refused(ATTUNE_WRONG_STRIDE, "key_padding_mask: stride of dimension 0 is 2, expected 1",
          [&] { tensor(Padding).strides[0] = 2; });
  accepted([&] { tensor(Mask).dtype = ATTUNE_UINT8; });
}
