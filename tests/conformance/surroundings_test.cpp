//===- surroundings_test.cpp - Threads, stacks, modes, targets, distances -===//
//
// What surrounds a call: the caller's floating-point modes, small stacks, several threads at once,
// a child process, code for several targets in one process, tensors spread over gigabytes.
//
//===----------------------------------------------------------------------===//
#include "RandomProblem.h"
#include "Reference.h"
#include "Tolerance.h"

#include <cstring>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <xmmintrin.h>

using namespace attune;
using namespace attune::conformance;

namespace {
const char *const moduleJson = R"({"module":{"embed_dim":128,"num_heads":2,"batch_first":true},
  "forward":{"attn_mask":"float_2d","key_padding_mask":"bool","is_causal":true}})";

class Surroundings : public testing::Test {
protected:
  Surroundings() {
    Random random(5);
    problem = normalProblem(module().config(), {2, 70, 80}, random);
    exact = reference<double>(problem);
    naive = reference<float>(problem);
  }

  static const TestModule &module() {
    static const TestModule once(moduleJson);
    return once;
  }

  /// "" or what is wrong with a call.
  std::string resultOf(attune_context *context) const {
    const Outcome outcome = module().run(context, problem);
    return outcome.status == ATTUNE_OK ? compare(outcome, exact, naive) : outcome.text;
  }

  Problem problem;
  Results<double> exact;
  Results<float> naive;
};

constexpr unsigned exceptionFlags = 0x3f;

/// Restores the thread's floating-point modes.
class Modes {
public:
  explicit Modes(unsigned modes) : before(_mm_getcsr()) { _mm_setcsr(modes); }
  ~Modes() { _mm_setcsr(before); }

private:
  unsigned before;
};
} // namespace

TEST_F(Surroundings, FloatingPointModesStayAsTheyWere) {
  const unsigned normal = 0x1f80, upwards = 0x4000, flushToZero = 0x8000, denormalsAreZero = 0x40;
  for (int threads : {1, 2}) {
    const attune::Context context(threads);
    for (unsigned modes : {normal, normal | upwards, normal | flushToZero | denormalsAreZero}) {
      unsigned after;
      Random random(6);
      Problem copy = problem;
      const Memory packed = module().pack(context, problem);
      PlacedCall call = module().place(context, copy, packed, CallStyle{}, random);
      {
        const Modes changed(modes);
        const attune_status status = attune_forward(context, &module().module(), call.call.data());
        after = _mm_getcsr();
        EXPECT_EQ(status, ATTUNE_OK);
      }
      EXPECT_EQ(after & ~exceptionFlags, modes & ~exceptionFlags);
    }
    EXPECT_EQ(resultOf(context), "");
  }
}

TEST_F(Surroundings, SixtyFourKilobytesOfStackAreEnough) {
  struct Job {
    const attune::Context *context;
    const attune_module *module;
    const void *call;
    attune_status status;
  };
  for (int threads : {1, 2}) {
    const attune::Context context(threads);
    Random random(6);
    Problem copy = problem;
    const Memory packed = module().pack(context, problem);
    PlacedCall call = module().place(context, copy, packed, CallStyle{}, random);
    Job job{&context, &module().module(), call.call.data(), ATTUNE_IO_ERROR};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, 64 << 10), 0);
    pthread_t thread;
    const int created = pthread_create(
        &thread, &attributes,
        [](void *argument) -> void * {
          auto *job = static_cast<Job *>(argument);
          job->status = attune_forward(*job->context, job->module, job->call);
          return nullptr;
        },
        &job);
    pthread_attr_destroy(&attributes);
    ASSERT_EQ(created, 0) << std::strerror(created);
    pthread_join(thread, nullptr);
    ASSERT_EQ(job.status, ATTUNE_OK);
    EXPECT_EQ(compare(module().read(call), exact, naive), "");
  }
}

TEST_F(Surroundings, ThreadsShareAContext) {
  const attune::Context context(2);
  std::string results[4];
  std::vector<std::thread> threads;
  for (std::string &result : results)
    threads.emplace_back([&] {
      for (int repetition = 0; repetition < 8 && result.empty(); ++repetition)
        result = resultOf(context);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::string &result : results)
    EXPECT_EQ(result, "");
}

TEST_F(Surroundings, AChildProcessWorks) {
  const attune::Context context(2);
  ASSERT_EQ(resultOf(context), "");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0)
    _exit(resultOf(context).empty() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(resultOf(context), "");
}

TEST_F(Surroundings, TargetsSideBySide) {
  std::vector<std::unique_ptr<TestModule>> modules;
  for (const char *name : {"host", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    const cpu::TargetInfo target = targetOf(name);
    if (canRun(target))
      modules.push_back(std::make_unique<TestModule>(configOf(moduleJson), target, std::nullopt));
  }
  ASSERT_GE(modules.size(), 2u);
  const attune::Context context(2);
  for (int repetition = 0; repetition < 2; ++repetition)
    for (const auto &compiled : modules) {
      const Outcome outcome = compiled->run(context, problem);
      ASSERT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
      EXPECT_EQ(compare(outcome, exact, naive), "") << compiled->describe();
    }
  // Another target's packed parameters are refused.
  const Memory packed = modules[0]->pack(context, problem);
  Random random;
  Problem copy = problem;
  PlacedCall call = modules[1]->place(context, copy, packed, CallStyle{}, random);
  const attune_status status = modules[1]->forward(context, call).status;
  EXPECT_TRUE(status == ATTUNE_WRONG_PACKED || status == ATTUNE_BUFFER_TOO_SMALL) << status;
}

namespace {
/// Calls with tensors whose rows lie almost 2^31 elements apart: 8 GB of addresses, few of memory.
class Distances : public testing::Test {
protected:
  static constexpr int64_t row = (int64_t{1} << 31) - 1;

  void SetUp() override {
    constexpr size_t addresses = size_t{1} << 38;
    void *probe =
        mmap(nullptr, addresses, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (probe == MAP_FAILED)
      GTEST_SKIP() << "addresses are limited here";
    munmap(probe, addresses);
  }

  /// A call with these strides for each tensor.
  void agrees(const TestModule &module, Problem problem,
              const std::vector<std::vector<int64_t>> &strides) {
    const attune::Context context(2);
    const Memory packed = module.pack(context, problem);
    Random random(1);
    PlacedCall call = module.place(context, problem, packed, CallStyle{}, random);
    call.tensors.clear();
    for (size_t k = 0; k < problem.inputs.size(); ++k)
      call.tensors.emplace_back(problem.inputs[k], strides[k], Placement::AtEnd, inputFill);
    for (const HostTensor &output : problem.outputs())
      call.tensors.emplace_back(output, strides[call.tensors.size()], Placement::AtEnd, outputFill);
    for (size_t k = 0; k < call.tensors.size(); ++k)
      call.views()[k] = call.tensors[k].view();
    ASSERT_EQ(attune_forward(context, &module.module(), call.call.data()), ATTUNE_OK)
        << attune_last_error();
    EXPECT_EQ(compare(module.read(call), reference<double>(problem), reference<float>(problem)),
              "");
  }
};
} // namespace

TEST_F(Distances, RowsOfTheCore) {
  const TestModule module(R"({"op":"attention","module":{"num_heads":2,"head_dim":16},
                              "forward":{"attn_mask":"float_2d"}})");
  Random random(8);
  // Rows outermost, then batch, then heads; the output's heads and batch beyond its rows.
  const std::vector<int64_t> inputs = {row / 2, row / 4, row, 1};
  agrees(module, normalProblem(module.config(), {2, 2, 3}, random),
         {inputs, inputs, inputs, {row, 1}, {5 * row, 2 * row + 9, row, 1}});
}

TEST_F(Distances, RowsOfTheModule) {
  const TestModule module(R"({"module":{"embed_dim":20,"num_heads":2},
                              "forward":{"need_weights":false,"attn_mask":"bool_2d"}})");
  Random random(9);
  const std::vector<int64_t> rows = {2 * row, row, 1};
  agrees(module, normalProblem(module.config(), {2, 3, 3}, random),
         {rows, rows, rows, {row, 1}, rows});
}

TEST_F(Distances, RowsOfMasksAndWeights) {
  const TestModule module(R"({"op":"attention","module":{"num_heads":2,"head_dim":8},
      "forward":{"attn_mask":"bool_3d","key_padding_mask":"float","need_weights":true,
                 "average_attn_weights":false}})");
  Random random(11);
  const std::vector<int64_t> near = {64, 32, 8, 1}, planes = {7 * row, row, 1};
  agrees(module, normalProblem(module.config(), {2, 3, 4}, random),
         {near, near, near, planes, {row, 1}, near, {9 * row, 4 * row, row, 1}});
}

TEST_F(Distances, HeadsAndBatchElements) {
  const TestModule module(R"({"op":"attention","module":{"num_heads":3,"head_dim":8},
                              "forward":{"is_causal":true}})");
  Random random(10);
  const std::vector<int64_t> strides = {8 * row, 2 * row, 8, 1};
  agrees(module, normalProblem(module.config(), {2, 30, 40}, random),
         {strides, strides, strides, strides});
}
