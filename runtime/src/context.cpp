//===- context.cpp - Contexts and the parallel loop of generated code -------------------------===//

#include "context.h"

#include "error.h"

#include <cstdlib>
#include <sched.h>
#include <unistd.h>

using namespace attune::runtime;

/// Number of CPUs that this process may use, at least 1.
static int32_t usableCpus() {
  // The set grows until it holds the kernel's mask.
  for (int Cpus = 1024; Cpus <= 1 << 20; Cpus *= 2) {
    cpu_set_t *Set = CPU_ALLOC(Cpus);
    if (!Set)
      break;
    size_t Size = CPU_ALLOC_SIZE(Cpus);
    int Count = sched_getaffinity(0, Size, Set) == 0 ? CPU_COUNT_S(Size, Set) : 0;
    CPU_FREE(Set);
    if (Count > 0)
      return Count < ThreadPool::MaxWorkers ? Count : ThreadPool::MaxWorkers;
  }
  long Online = sysconf(_SC_NPROCESSORS_ONLN);
  return Online < 1                        ? 1
         : Online < ThreadPool::MaxWorkers ? static_cast<int32_t>(Online)
                                           : ThreadPool::MaxWorkers;
}

static attune_status checkOptions(const attune_context_options &Options) {
  if (Options.struct_size != sizeof(Options))
    return fail(ATTUNE_WRONG_VERSION,
                "attune_context_create: options: struct_size is %zu, expected %zu",
                Options.struct_size, sizeof(Options));
  if (Options.threads < 0 || Options.threads > ThreadPool::MaxWorkers)
    return fail(ATTUNE_NO_THREADS,
                "attune_context_create: options: threads is %d, expected 0 to %d", Options.threads,
                ThreadPool::MaxWorkers);
  return ATTUNE_OK;
}

attune_status attune_context_create(const attune_context_options *options,
                                    attune_context **context) {
  if (!context)
    return fail(ATTUNE_NULL_POINTER, "attune_context_create: context: is null");
  *context = nullptr;
  attune_context_options Options = {sizeof(Options), 0, nullptr, nullptr};
  if (options) {
    if (attune_status Status = checkOptions(*options))
      return Status;
    Options = *options;
  }
  auto *New = static_cast<attune_context *>(calloc(1, sizeof(attune_context)));
  if (!New)
    return fail(ATTUNE_OUT_OF_MEMORY, "attune_context_create: out of memory");
  New->Workers = Options.threads > 0 ? Options.threads : usableCpus();
  New->ParallelFor = Options.parallel_for;
  New->User = Options.user;
  if (!New->ParallelFor && !(New->Pool = ThreadPool::create(New->Workers))) {
    free(New);
    return fail(ATTUNE_OUT_OF_MEMORY, "attune_context_create: out of memory");
  }
  *context = New;
  return ATTUNE_OK;
}

void attune_context_destroy(attune_context *context) {
  if (!context)
    return;
  ThreadPool::destroy(context->Pool);
  free(context);
}

int32_t attune_context_workers(const attune_context *context) {
  return context ? context->Workers : 1;
}

void attune_parallel_for(attune_context *context, int64_t count, int64_t grain,
                         attune_range_body body, void *closure) {
  if (count <= 0)
    return;
  if (grain < 1)
    grain = 1;
  if (!context)
    body(closure, 0, count, 0);
  else if (context->ParallelFor)
    context->ParallelFor(context->User, count, grain, body, closure);
  else
    context->Pool->run(count, grain, body, closure);
}
