#include "attune/attune.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

extern "C" int attuneUseInterfaceFromC(void);

TEST(CInterface, CompilesLinksAndWorks) { EXPECT_EQ(attuneUseInterfaceFromC(), 0); }

TEST(CInterface, EveryStatusHasATextOfItsOwn) {
  std::set<std::string> Texts;
  for (int S = ATTUNE_OK; S <= ATTUNE_NOT_FOUND; ++S)
    Texts.insert(attune_status_text(static_cast<attune_status>(S)));
  EXPECT_EQ(Texts.size(), size_t{ATTUNE_NOT_FOUND} + 1);
  EXPECT_EQ(Texts.count("unknown status"), 0u);
}

TEST(CInterface, DtypesHaveNamesAndSizes) {
  EXPECT_STREQ(attune_dtype_name(ATTUNE_BFLOAT16), "bfloat16");
  EXPECT_STREQ(attune_dtype_name(ATTUNE_INT64), "int64");
  EXPECT_EQ(attune_dtype_size(ATTUNE_FLOAT64), 8u);
  EXPECT_EQ(attune_dtype_size(ATTUNE_FLOAT16), 2u);
  EXPECT_EQ(attune_dtype_size(ATTUNE_BOOL), 1u);
  EXPECT_EQ(attune_dtype_size(static_cast<attune_dtype>(10)), 0u);
  EXPECT_STREQ(attune_dtype_name(static_cast<attune_dtype>(10)), "unknown");
}

TEST(CInterface, DenseTensorKeepsAWrongRank) {
  int64_t Sizes[1] = {1};
  EXPECT_EQ(attune_dense_tensor(nullptr, ATTUNE_FLOAT32, 7, Sizes).rank, 7);
  EXPECT_EQ(attune_dense_tensor(nullptr, ATTUNE_FLOAT32, -1, Sizes).rank, -1);
}

TEST(CInterface, CpuFeaturesImplyEachOther) {
  uint32_t Features = attune_cpu_features();
  EXPECT_EQ(Features, attune_cpu_features());
  if (Features & ATTUNE_CPU_AVX512BW)
    EXPECT_TRUE(Features & ATTUNE_CPU_AVX512F);
  if (Features & ATTUNE_CPU_AVX512F)
    EXPECT_TRUE(Features & ATTUNE_CPU_AVX2);
  if (Features & ATTUNE_CPU_AVX2)
    EXPECT_TRUE(Features & ATTUNE_CPU_AVX);
#if defined(__x86_64__)
  auto Agrees = [Features](uint32_t Bit, bool Builtin) { return bool(Features & Bit) == Builtin; };
  EXPECT_TRUE(Agrees(ATTUNE_CPU_SSE41, __builtin_cpu_supports("sse4.1")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_SSE42, __builtin_cpu_supports("sse4.2")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_AVX, __builtin_cpu_supports("avx")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_AVX2, __builtin_cpu_supports("avx2")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_FMA, __builtin_cpu_supports("fma")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_BMI2, __builtin_cpu_supports("bmi2")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_AVX512F, __builtin_cpu_supports("avx512f")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_AVX512BW, __builtin_cpu_supports("avx512bw")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_AVX512DQ, __builtin_cpu_supports("avx512dq")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_AVX512VL, __builtin_cpu_supports("avx512vl")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_AVX512CD, __builtin_cpu_supports("avx512cd")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_AVX512BF16, __builtin_cpu_supports("avx512bf16")));
  EXPECT_TRUE(Agrees(ATTUNE_CPU_AVX512VNNI, __builtin_cpu_supports("avx512vnni")));
#endif
}
