//===- stress.cpp - A hundred thousand calls from eight threads -----------===//
//
// All on one context. Each result is the same bits, wrong calls among them give their status and
// the text of their own thread, floating-point modes stay, memory does not grow, and children of
// fork() can call, too.
//
//===----------------------------------------------------------------------===//
#include "layer.h"

#include <atomic>
#include <attune/attune.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define ATTUNE_SANITIZED 1
#endif
#endif

namespace {
constexpr int64_t batch = 2, targets = 5, sources = 7, width = 32;
constexpr int threadCount = 8, warmUpCalls = 1000, allCalls = 100000, workers = 3;
constexpr int64_t allowedGrowth = 1 << 20; // bytes

[[noreturn]] void fail(const char *what) {
  std::fprintf(stderr, "stress: %s\n", what);
  std::exit(1);
}

std::vector<float> randomFloats(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float &value : values)
    value = uniform(generator);
  return values;
}

/// What all calls read.
struct Problem {
  std::vector<float> query = randomFloats(batch * targets * width, 1);
  std::vector<float> key = randomFloats(batch * sources * width, 2);
  std::vector<float> value = randomFloats(batch * sources * width, 3);
  std::vector<float> mask = randomFloats(targets * sources, 4);
  uint8_t padding[batch * sources] = {0, 0, 1, 0, 0, 0, 1};
  attune::AlignedBuffer packed{layer_packed_size()};

  explicit Problem(const attune::Context &context) {
    std::vector<float> in = randomFloats(3 * width * width, 5), inBias = randomFloats(3 * width, 6),
                       out = randomFloats(width * width, 7), outBias = randomFloats(width, 8);
    layer_parameters parameters{};
    parameters.struct_size = sizeof(parameters);
    parameters.in_proj_weight = attune::tensor(in.data(), {3 * width, width});
    parameters.in_proj_bias = attune::tensor(inBias.data(), {3 * width});
    parameters.out_proj_weight = attune::tensor(out.data(), {width, width});
    parameters.out_proj_bias = attune::tensor(outBias.data(), {width});
    attune::check(layer_pack(context, &parameters, packed.data(), packed.size()));
  }
};

/// The memory of one thread's calls, so that a call allocates nothing.
class Caller {
public:
  Caller(const attune::Context &context, Problem &problem)
      : context(context), workspace(layer_workspace_size(context, batch, targets, sources)) {
    call.struct_size = sizeof(call);
    call.packed = problem.packed.data();
    call.packed_size = problem.packed.size();
    call.workspace = workspace.data();
    call.workspace_size = workspace.size();
    call.query = attune::tensor(problem.query.data(), {batch, targets, width});
    call.key = attune::tensor(problem.key.data(), {batch, sources, width});
    call.value = attune::tensor(problem.value.data(), {batch, sources, width});
    call.attn_mask = attune::tensor(problem.mask.data(), {targets, sources});
    call.key_padding_mask = attune::tensor(problem.padding, {batch, sources});
    call.out = attune::tensor(out.data(), {batch, targets, width});
    call.weights = attune::tensor(weights.data(), {batch, targets, sources});
  }

  void run() {
    out.assign(out.size(), -1.0f);
    if (layer_forward(context, &call) != ATTUNE_OK)
      fail(attune_last_error());
  }

  /// A call that lacks tensor `k`, whose name must be in the text.
  void runWrongly(int k) {
    attune_tensor *tensors[] = {&call.query, &call.key, &call.value, &call.attn_mask};
    const char *names[] = {"query", "key", "value", "attn_mask"};
    const attune_tensor right = *tensors[k % 4];
    tensors[k % 4]->data = nullptr;
    if (layer_forward(context, &call) != ATTUNE_NULL_POINTER)
      fail("a call without a tensor was accepted");
    if (!std::strstr(attune_last_error(), names[k % 4]))
      fail("the text of an error is another thread's");
    *tensors[k % 4] = right;
  }

  bool equals(const Caller &other) const { return out == other.out && weights == other.weights; }

private:
  const attune::Context &context;
  attune::AlignedBuffer workspace;
  std::vector<float> out = std::vector<float>(batch * targets * width);
  std::vector<float> weights = std::vector<float>(batch * targets * sources);
  layer_arguments call{};
};

unsigned floatingPointModes() {
#ifdef __SSE__
  constexpr unsigned exceptionFlags = 0x3f;
  return _mm_getcsr() & ~exceptionFlags;
#else
  return 0;
#endif
}

void runFromThreads(std::vector<Caller> &callers, const Caller &expected, int calls) {
  std::vector<std::thread> threads;
  for (int t = 0; t < threadCount; ++t)
    threads.emplace_back([&, t] {
      const unsigned modes = floatingPointModes();
      for (int k = 0; k < calls / threadCount; ++k) {
        if (k % 16 == t)
          callers[t].runWrongly(k);
        callers[t].run();
        if (!callers[t].equals(expected))
          fail("two calls with the same arguments differ");
        if (floatingPointModes() != modes)
          fail("a call changed the floating-point modes");
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

/// Bytes of memory that this process holds.
int64_t residentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0, resident = 0;
  if (!(file >> all >> resident))
    fail("the process's memory cannot be read");
  return resident * sysconf(_SC_PAGESIZE);
}

/// Children of fork(), while the pool has threads and other threads call.
void runFromChildren(std::vector<Caller> &callers, Caller &own, const Caller &expected) {
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) {
      callers[0].run();
      if (!callers[0].equals(expected))
        fail("a call beside fork() differs");
    }
  });
  for (int k = 0; k < 50; ++k) {
    const pid_t child = fork();
    if (child == 0) {
      own.run();
      _exit(own.equals(expected) ? 0 : 1);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
      fail("a child of fork() could not call");
  }
  done = true;
  other.join();
}
} // namespace

int main() {
  const attune::Context context(workers);
  Problem problem(context);
  Caller expected(context, problem), own(context, problem);
  expected.run();
  std::vector<Caller> callers;
  callers.reserve(threadCount);
  for (int t = 0; t < threadCount; ++t)
    callers.emplace_back(context, problem);
  runFromThreads(callers, expected, warmUpCalls);
  const int64_t before = residentBytes();
  runFromThreads(callers, expected, allCalls);
  const int64_t growth = residentBytes() - before;
  std::printf("stress: %d calls from %d threads, %lld bytes more than after %d calls\n", allCalls,
              threadCount, static_cast<long long>(growth), warmUpCalls);
#ifndef ATTUNE_SANITIZED // sanitizers keep records, and TSan forbids threads after fork()
  if (growth > allowedGrowth)
    fail("calls take memory and keep it");
  runFromChildren(callers, own, expected);
#else
  (void)allowedGrowth;
  (void)runFromChildren;
#endif
  return 0;
}
