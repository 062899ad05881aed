//===- context.h - Threads of an application's calls ------------------------------------------===//

#ifndef ATTUNE_RUNTIME_CONTEXT_H
#define ATTUNE_RUNTIME_CONTEXT_H

#include "thread_pool.h"

struct attune_context {
  int32_t Workers;
  attune_parallel_for_function ParallelFor; ///< The application's loop, or null.
  void *User;
  attune::runtime::ThreadPool *Pool; ///< Null with an application's loop.
};

#endif
