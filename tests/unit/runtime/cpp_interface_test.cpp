#include "attune/attune.hpp"

#include <cstdio>
#include <gtest/gtest.h>

TEST(CppInterface, ContextMovesAndConverts) {
  attune::Context First(2);
  attune::Context Second = std::move(First);
  EXPECT_EQ(Second.workers(), 2);
  attune_context *Handle = Second;
  EXPECT_NE(Handle, nullptr);
  First = std::move(Second);
  EXPECT_EQ(First.workers(), 2);
}

TEST(CppInterface, ErrorsCarryStatusAndText) {
  try {
    attune::Context Wrong(-1);
    FAIL() << "a negative number of threads was accepted";
  } catch (const attune::StatusError &E) {
    EXPECT_EQ(E.status(), ATTUNE_NO_THREADS);
    EXPECT_NE(std::string(E.what()).find("threads is -1"), std::string::npos);
  }
}

TEST(CppInterface, TensorsFromPointers) {
  const float Data[6] = {};
  attune_tensor Tensor = attune::tensor(Data, {2, 3});
  EXPECT_EQ(Tensor.data, Data);
  EXPECT_EQ(Tensor.dtype, ATTUNE_FLOAT32);
  EXPECT_EQ(Tensor.rank, 2);
  EXPECT_EQ(Tensor.strides[0], 3);
  EXPECT_EQ(attune::dtypeOf<const bool>(), ATTUNE_BOOL);
  EXPECT_EQ(attune::dtypeOf<int64_t>(), ATTUNE_INT64);
  EXPECT_THROW(attune::tensor(Data, {1, 1, 1, 1, 1, 1, 6}), attune::StatusError);
}

TEST(CppInterface, BuffersAreAligned) {
  attune::AlignedBuffer Buffer(100), Other;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(Buffer.data()) % ATTUNE_ALIGNMENT, 0u);
  Other = std::move(Buffer);
  EXPECT_EQ(Other.size(), 100u);
  EXPECT_EQ(Buffer.data(), nullptr);
}

TEST(CppInterface, TensorFiles) {
  const char Bytes[] = "\x02\0\0\0\0\0\0\0{}";
  attune::TensorFile File(Bytes, sizeof(Bytes) - 1, "bytes");
  EXPECT_EQ(File.size(), 0u);
  EXPECT_EQ(File.name(0), nullptr);
  EXPECT_THROW(File.get("weight"), attune::StatusError);
  EXPECT_THROW(attune::TensorFile("/nonexistent/file"), attune::StatusError);
}
