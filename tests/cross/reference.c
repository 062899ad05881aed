/* The reference of the test program. */
#include "program.h"

#include <math.h>
#include <stdlib.h>

/* The elements of a float32 tensor; null where the module has none. */
static const float *floats(const struct problem *problem, const char *name) {
  const attune_tensor *tensor = find_tensor(problem, name);
  return tensor ? tensor->data : NULL;
}

/* Distances of batch elements, heads and rows in an array. */
struct layout {
  int64_t batch, head, row;
};

static struct layout layout_of(const struct problem *problem, int64_t rows) {
  const struct test_case *test = problem->test;
  const int64_t width = test->heads * test->head_dim;
  if (test->module->parameter_count == 0)
    return (struct layout){rows * width, rows * test->head_dim, test->head_dim};
  if (test->batch_first)
    return (struct layout){rows * width, test->head_dim, width};
  return (struct layout){width, test->head_dim, problem->sizes.batch * width};
}

#define REAL double
#define NAME(x) x##_double
#include "reference.inc"
#undef REAL
#undef NAME

#define REAL float
#define NAME(x) x##_float
#include "reference.inc"

double *reference_result(const struct problem *problem) { return compute_double(problem); }

float *naive_result(const struct problem *problem) { return compute_float(problem); }
