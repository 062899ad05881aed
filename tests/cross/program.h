/* What the test program knows of a call, for its reference. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "attune/attune.h"

/* A compiled configuration and what its descriptor does not say of it. */
struct test_case {
  const attune_module *module;
  int64_t heads, head_dim;
  int is_causal, batch_first;
};

struct call_sizes {
  int64_t batch, target, source;
};

/* One call: tensors in the order of the descriptor. */
struct problem {
  const struct test_case *test;
  struct call_sizes sizes;
  const attune_tensor *arguments, *parameters;
};

/* An argument or parameter by its name; null where the module has none. */
const attune_tensor *find_tensor(const struct problem *problem, const char *name);

/* Room for `count` elements, none of them set. */
void *allocate(int64_t count, size_t element_size);

/* The result of a call in float64, as an array like the module's output. */
double *reference_result(const struct problem *problem);

/* The same computation in float32, whose error is the measure of errors. */
float *naive_result(const struct problem *problem);

#endif
