#include "attune/attune.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <thread>

static attune_context_options options(int32_t Threads) {
  return {sizeof(attune_context_options), Threads, nullptr, nullptr};
}

TEST(Context, CountsThreads) {
  attune_context *Context = nullptr;
  attune_context_options Options = options(3);
  ASSERT_EQ(attune_context_create(&Options, &Context), ATTUNE_OK);
  EXPECT_EQ(attune_context_workers(Context), 3);
  attune_context_destroy(Context);
}

TEST(Context, ZeroThreadsMeansEveryUsableCpu) {
  cpu_set_t Set;
  ASSERT_EQ(sched_getaffinity(0, sizeof(Set), &Set), 0);
  attune_context *Context = nullptr;
  ASSERT_EQ(attune_context_create(nullptr, &Context), ATTUNE_OK);
  EXPECT_EQ(attune_context_workers(Context), CPU_COUNT(&Set));
  attune_context_destroy(Context);
}

TEST(Context, RefusesWrongOptions) {
  attune_context *Context = reinterpret_cast<attune_context *>(1);
  attune_context_options Options = options(-3);
  EXPECT_EQ(attune_context_create(&Options, &Context), ATTUNE_NO_THREADS);
  EXPECT_EQ(Context, nullptr);
  EXPECT_STREQ(attune_last_error(),
               "attune_context_create: options: threads is -3, expected 0 to 4096");
  Options = options(5000);
  EXPECT_EQ(attune_context_create(&Options, &Context), ATTUNE_NO_THREADS);
  Options = options(1);
  Options.struct_size = 8;
  EXPECT_EQ(attune_context_create(&Options, &Context), ATTUNE_WRONG_VERSION);
  EXPECT_NE(std::string(attune_last_error()).find("struct_size is 8"), std::string::npos);
  EXPECT_EQ(attune_context_create(nullptr, nullptr), ATTUNE_NULL_POINTER);
}

TEST(Context, NullIsHarmless) {
  attune_context_destroy(nullptr);
  EXPECT_EQ(attune_context_workers(nullptr), 1);
}

TEST(Context, ErrorTextBelongsToTheThread) {
  attune_context_create(nullptr, nullptr);
  std::string Here = attune_last_error();
  EXPECT_FALSE(Here.empty());
  std::thread([] { EXPECT_STREQ(attune_last_error(), ""); }).join();
  EXPECT_EQ(Here, attune_last_error());
}
