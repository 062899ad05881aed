/* An application for a CPU that need not be this one: calls modules that were compiled for it, on
 * small inputs.
 *
 *   program           compares every result with the reference
 *   program FEATURES  expects every module to refuse the CPU, for which it lacks FEATURES
 */
#include "program.h"

#include "biased.h"
#include "bool_mask.h"
#include "causal.h"
#include "core.h"
#include "float_mask.h"
#include "self.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct test_case tests[] = {
    {&core_module, 3, 9, 0, 0},       {&causal_module, 2, 64, 1, 0},
    {&bool_mask_module, 2, 20, 0, 0}, {&float_mask_module, 2, 32, 1, 0},
    {&biased_module, 3, 11, 0, 0},    {&self_module, 4, 12, 1, 1},
};

/* A single row; rows and columns beyond whole register blocks; several tiles; no key at all. */
static const struct call_sizes all_sizes[] = {{1, 1, 1}, {2, 7, 19}, {1, 101, 301}, {2, 3, 0}};

enum { MOST_TENSORS = 8 };

/* NAME_arguments and NAME_parameters of any module: the fixed part, then the tensors. */
struct arguments {
  attune_call call;
  attune_tensor tensors[MOST_TENSORS];
};
struct parameters {
  attune_parameters fixed;
  attune_tensor tensors[MOST_TENSORS];
};

void *allocate(int64_t count, size_t element_size) {
  const size_t bytes = (size_t)count * element_size;
  /* One unit too much, so that no size is 0. */
  void *data = aligned_alloc(ATTUNE_ALIGNMENT, (bytes / ATTUNE_ALIGNMENT + 1) * ATTUNE_ALIGNMENT);
  if (!data) {
    puts("out of memory");
    exit(1);
  }
  return data;
}

const attune_tensor *find_tensor(const struct problem *problem, const char *name) {
  const attune_module *module = problem->test->module;
  for (int32_t k = 0; k < module->argument_count; ++k)
    if (strcmp(module->arguments[k].name, name) == 0)
      return &problem->arguments[k];
  for (int32_t k = 0; k < module->parameter_count; ++k)
    if (strcmp(module->parameters[k].name, name) == 0)
      return &problem->parameters[k];
  return NULL;
}

static int64_t count_of(const attune_tensor *tensor) {
  int64_t count = 1;
  for (int32_t d = 0; d < tensor->rank; ++d)
    count *= tensor->sizes[d];
  return count;
}

/* Evenly spread over [-1, 1). */
static float next_number(void) {
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return (float)(state >> 8) / 8388608.0f - 1.0f;
}

/* A third of a mask is masked, and the whole of its first row. */
static void fill(const attune_tensor *tensor, int is_mask) {
  const int64_t count = count_of(tensor);
  for (int64_t k = 0; k < count; ++k) {
    const float number = next_number();
    const int masked = is_mask && (k < tensor->sizes[1] || number < -0.33f);
    if (tensor->dtype == ATTUNE_FLOAT32)
      ((float *)tensor->data)[k] = masked ? -INFINITY : number;
    else
      ((uint8_t *)tensor->data)[k] = masked;
  }
}

static attune_tensor make_tensor(const attune_argument_spec *spec, const struct call_sizes *given) {
  const int64_t symbols[ATTUNE_SYMBOLS] = {1, given->batch, given->target, given->source};
  int64_t sizes[ATTUNE_MAX_RANK], count = 1;
  for (int32_t d = 0; d < spec->rank; ++d)
    count *= sizes[d] = symbols[spec->sizes[d].symbol] * spec->sizes[d].factor;
  const int is_float = spec->dtypes & 1u << ATTUNE_FLOAT32;
  attune_tensor tensor =
      attune_dense_tensor(allocate(count, is_float ? sizeof(float) : 1),
                          is_float ? ATTUNE_FLOAT32 : ATTUNE_BOOL, spec->rank, sizes);
  fill(&tensor, strcmp(spec->name, "attn_mask") == 0);
  return tensor;
}

static void make_tensors(const attune_argument_spec *specs, int32_t count,
                         const struct call_sizes *sizes, attune_tensor *tensors) {
  if (count > MOST_TENSORS) {
    puts("the program has no room for so many tensors");
    exit(1);
  }
  for (int32_t k = 0; k < count; ++k)
    tensors[k] = make_tensor(&specs[k], sizes);
}

static void free_tensors(const attune_tensor *tensors, int32_t count) {
  for (int32_t k = 0; k < count; ++k)
    free(tensors[k].data);
}

/* Packs and runs with a number of threads. */
static attune_status call(const attune_module *module, int32_t threads,
                          const struct call_sizes *sizes, struct arguments *arguments,
                          struct parameters *parameters) {
  attune_context_options options = {.struct_size = sizeof(options), .threads = threads};
  attune_context *context;
  attune_status status = attune_context_create(&options, &context);
  if (status != ATTUNE_OK)
    return status;
  parameters->fixed.struct_size = offsetof(struct parameters, tensors) +
                                  (size_t)module->parameter_count * sizeof(attune_tensor);
  attune_call *fixed = &arguments->call;
  fixed->struct_size =
      offsetof(struct arguments, tensors) + (size_t)module->argument_count * sizeof(attune_tensor);
  fixed->workspace_size =
      attune_workspace_size(context, module, sizes->batch, sizes->target, sizes->source);
  fixed->workspace = allocate((int64_t)fixed->workspace_size, 1);
  void *packed = allocate(module->packed_size, 1);
  fixed->packed = packed;
  fixed->packed_size = (size_t)module->packed_size;
  if (module->parameter_count > 0)
    status = attune_pack(context, module, parameters, packed, fixed->packed_size);
  if (status == ATTUNE_OK)
    status = attune_forward(context, module, arguments);
  free(packed);
  free(fixed->workspace);
  attune_context_destroy(context);
  return status;
}

/* At most twice the error of naive float32, plus 1e-6 of the largest magnitude. */
static int is_accurate(const struct problem *problem, const attune_tensor *out) {
  double *expected = reference_result(problem);
  float *naive = naive_result(problem);
  double error = 0, naive_error = 0, largest = 0;
  for (int64_t k = 0; k < count_of(out); ++k) {
    const double found = ((const float *)out->data)[k];
    /* A NaN is never accurate. */
    if (!(fabs(found - expected[k]) <= error))
      error = isnan(found) ? INFINITY : fabs(found - expected[k]);
    naive_error = fmax(naive_error, fabs((double)naive[k] - expected[k]));
    largest = fmax(largest, fabs(expected[k]));
  }
  free(expected);
  free(naive);
  printf("error %.3g, naive %.3g, largest magnitude %.3g\n", error, naive_error, largest);
  return error <= 2 * naive_error + 1e-6 * largest;
}

/* The result is accurate, and the same for three threads. */
static int computes(const struct test_case *test, struct problem *problem,
                    struct arguments *arguments, struct parameters *parameters) {
  const attune_module *module = test->module;
  const attune_tensor *out = &arguments->tensors[module->argument_count - 1];
  const size_t bytes = (size_t)count_of(out) * sizeof(float);
  for (int32_t threads = 1; threads <= 3; threads += 2) {
    float *before = allocate((int64_t)bytes, 1);
    memcpy(before, out->data, bytes);
    memset(out->data, 0xff, bytes);
    if (call(module, threads, &problem->sizes, arguments, parameters) != ATTUNE_OK) {
      puts(attune_last_error());
      return 0;
    }
    const int same = threads == 1 || memcmp(before, out->data, bytes) == 0;
    free(before);
    if (!same) {
      puts("three threads give another result than one");
      return 0;
    }
  }
  return is_accurate(problem, out);
}

/* Packing or the call itself says which features are missing. */
static int refuses(const attune_module *module, const struct call_sizes *sizes,
                   const char *features, struct arguments *arguments,
                   struct parameters *parameters) {
  char expected[512];
  snprintf(expected, sizeof(expected),
           "%s_%s: module: needs CPU features that are missing here: %s", module->name,
           module->parameter_count > 0 ? "pack" : "forward", features);
  const attune_status status = call(module, 1, sizes, arguments, parameters);
  const char *text = attune_last_error();
  printf("%s: %s\n", attune_status_text(status), text);
  return status == ATTUNE_UNSUITABLE_CPU && strcmp(text, expected) == 0;
}

static int passes(const struct test_case *test, struct call_sizes sizes, const char *features) {
  const attune_module *module = test->module;
  struct arguments arguments = {0};
  struct parameters parameters = {0};
  struct problem problem = {test, sizes, arguments.tensors, parameters.tensors};
  make_tensors(module->arguments, module->argument_count, &sizes, arguments.tensors);
  make_tensors(module->parameters, module->parameter_count, &sizes, parameters.tensors);
  printf("%s %lldx%lldx%lld: ", module->name, (long long)sizes.batch, (long long)sizes.target,
         (long long)sizes.source);
  const int pass = features ? refuses(module, &sizes, features, &arguments, &parameters)
                            : computes(test, &problem, &arguments, &parameters);
  free_tensors(arguments.tensors, module->argument_count);
  free_tensors(parameters.tensors, module->parameter_count);
  if (!pass)
    printf("  FAILED\n");
  return pass;
}

int main(int argc, char **argv) {
  int failures = 0;
  for (size_t k = 0; k < sizeof(tests) / sizeof(*tests); ++k)
    for (size_t i = 0; i < sizeof(all_sizes) / sizeof(*all_sizes); ++i) {
      struct call_sizes sizes = all_sizes[i];
      if (tests[k].module == &self_module)
        sizes.source = sizes.target;
      failures += !passes(&tests[k], sizes, argc > 1 ? argv[1] : NULL);
    }
  return failures > 0;
}
