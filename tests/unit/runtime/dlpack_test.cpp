#include <cstdint>

// DLPack's tensor, as far as the adapter needs it.
#define DLPACK_DLPACK_H_
enum DLDeviceType { kDLCPU = 1, kDLCUDA = 2 };
struct DLDevice {
  DLDeviceType device_type;
  int32_t device_id;
};
struct DLDataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};
struct DLTensor {
  void *data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape;
  int64_t *strides;
  uint64_t byte_offset;
};

#include "attune/dlpack_adapter.h"

#include <gtest/gtest.h>

TEST(DLPack, ConvertsTensors) {
  float Data[32] = {};
  int64_t Shape[] = {2, 3}, Strides[] = {4, 1};
  DLTensor Source = {Data, {kDLCPU, 0}, 2, {2, 32, 1}, Shape, nullptr, 8};
  attune_tensor Tensor;
  ASSERT_EQ(attune_tensor_from_dlpack(&Source, &Tensor), ATTUNE_OK);
  EXPECT_EQ(Tensor.data, Data + 2);
  EXPECT_EQ(Tensor.dtype, ATTUNE_FLOAT32);
  EXPECT_EQ(Tensor.strides[0], 3);
  Source.strides = Strides;
  ASSERT_EQ(attune_tensor_from_dlpack(&Source, &Tensor), ATTUNE_OK);
  EXPECT_EQ(Tensor.strides[0], 4);
}

TEST(DLPack, RefusesWhatHasNoCounterpart) {
  int64_t Shape[] = {1, 1, 1, 1, 1, 1, 1};
  DLTensor Good = {nullptr, {kDLCPU, 0}, 2, {2, 32, 1}, Shape, nullptr, 0}, Source = Good;
  attune_tensor Tensor;
  EXPECT_EQ(attune_tensor_from_dlpack(nullptr, &Tensor), ATTUNE_NULL_POINTER);
  Source.device.device_type = kDLCUDA;
  EXPECT_EQ(attune_tensor_from_dlpack(&Source, &Tensor), ATTUNE_NOT_FOUND);
  Source = Good;
  Source.dtype.lanes = 4;
  EXPECT_EQ(attune_tensor_from_dlpack(&Source, &Tensor), ATTUNE_WRONG_DTYPE);
  Source = Good;
  Source.ndim = 7;
  EXPECT_EQ(attune_tensor_from_dlpack(&Source, &Tensor), ATTUNE_WRONG_RANK);
}

TEST(DLPack, KnowsTheElementTypes) {
  struct {
    DLDataType Type;
    attune_dtype Dtype;
  } Rows[] = {
      {{0, 8, 1}, ATTUNE_INT8},     {{0, 16, 1}, ATTUNE_INT16},    {{0, 32, 1}, ATTUNE_INT32},
      {{0, 64, 1}, ATTUNE_INT64},   {{1, 8, 1}, ATTUNE_UINT8},     {{2, 16, 1}, ATTUNE_FLOAT16},
      {{2, 64, 1}, ATTUNE_FLOAT64}, {{4, 16, 1}, ATTUNE_BFLOAT16}, {{6, 8, 1}, ATTUNE_BOOL}};
  for (const auto &Row : Rows) {
    attune_dtype Dtype;
    ASSERT_TRUE(attune_dtype_from_dlpack(Row.Type, &Dtype));
    EXPECT_EQ(Dtype, Row.Dtype);
  }
}
