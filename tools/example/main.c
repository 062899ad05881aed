/* Runs self-attention that attune compiled ahead of time from mha2560.json, and checks some rows of
 * the result against a computation in double.
 *
 *   attune compile mha2560.json -o . --target host
 *   cc -std=c11 -O2 -I. -I<attune>/runtime/include main.c mha2560.o -L<attune>/build/release/lib \
 *      -lattune_runtime -lpthread -lm -o main
 */
#include "mha2560.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WIDTH = 2560, HEADS = 10, HEAD_WIDTH = WIDTH / HEADS, BATCH = 1, LENGTH = 128 };
enum { RUNS = 5, CHECKED_ROWS = 8 };

/* The module's parameters as PyTorch stores them: in_proj_weight is (3 * WIDTH, WIDTH), the query's
 * rows first, then the key's and the value's. */
typedef struct Module {
  float *in_proj_weight, *in_proj_bias, *out_proj_weight, *out_proj_bias;
} Module;

static void *allocate(size_t bytes) {
  size_t rounded = (bytes + ATTUNE_ALIGNMENT - 1) / ATTUNE_ALIGNMENT * ATTUNE_ALIGNMENT;
  void *memory = aligned_alloc(ATTUNE_ALIGNMENT, rounded);
  if (memory == NULL) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  return memory;
}

static void require(attune_status status) {
  if (status == ATTUNE_OK)
    return;
  fprintf(stderr, "%s: %s\n", attune_status_text(status), attune_last_error());
  exit(1);
}

/* `count` floats in [-scale, scale), the same in every run. */
static float *random_floats(size_t count, float scale, uint64_t seed) {
  float *values = allocate(count * sizeof(float));
  uint64_t state = seed;
  for (size_t k = 0; k < count; ++k) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values[k] = scale * ((float)(state >> 40) / 8388608.0f - 1.0f);
  }
  return values;
}

static Module random_module(void) {
  const float scale = 1.0f / sqrtf(WIDTH);
  Module module = {random_floats((size_t)3 * WIDTH * WIDTH, scale, 1),
                   random_floats((size_t)3 * WIDTH, scale, 2),
                   random_floats((size_t)WIDTH * WIDTH, scale, 3), random_floats(WIDTH, scale, 4)};
  return module;
}

/* ---- The generated module -------------------------------------------------------------------- */

/* Brings the parameters into the layout of the generated code; done once. */
static void *pack(attune_context *context, const Module *module) {
  const int64_t in_weight[] = {3 * WIDTH, WIDTH}, in_bias[] = {3 * WIDTH};
  const int64_t out_weight[] = {WIDTH, WIDTH}, out_bias[] = {WIDTH};
  mha2560_parameters parameters = {.struct_size = sizeof parameters};
  parameters.in_proj_weight =
      attune_dense_tensor(module->in_proj_weight, ATTUNE_FLOAT32, 2, in_weight);
  parameters.in_proj_bias = attune_dense_tensor(module->in_proj_bias, ATTUNE_FLOAT32, 1, in_bias);
  parameters.out_proj_weight =
      attune_dense_tensor(module->out_proj_weight, ATTUNE_FLOAT32, 2, out_weight);
  parameters.out_proj_bias =
      attune_dense_tensor(module->out_proj_bias, ATTUNE_FLOAT32, 1, out_bias);
  void *packed = allocate(mha2560_packed_size());
  require(mha2560_pack(context, &parameters, packed, mha2560_packed_size()));
  return packed;
}

static double seconds(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Computes out = attention(input) RUNS times; returns the shortest time in seconds. */
static double run(attune_context *context, const void *packed, float *input, float *out) {
  const int64_t sizes[] = {BATCH, LENGTH, WIDTH};
  mha2560_arguments arguments = {.struct_size = sizeof arguments};
  arguments.packed = packed;
  arguments.packed_size = mha2560_packed_size();
  arguments.workspace_size = mha2560_workspace_size(context, BATCH, LENGTH, LENGTH);
  arguments.workspace = allocate(arguments.workspace_size);
  arguments.query = attune_dense_tensor(input, ATTUNE_FLOAT32, 3, sizes);
  arguments.out = attune_dense_tensor(out, ATTUNE_FLOAT32, 3, sizes);
  double best = INFINITY;
  for (int k = 0; k < RUNS; ++k) {
    const double start = seconds();
    require(mha2560_forward(context, &arguments));
    best = fmin(best, seconds() - start);
  }
  free(arguments.workspace);
  return best;
}

/* ---- The check ------------------------------------------------------------------------------- */

static double dot(const float *a, const double *b) {
  double sum = 0;
  for (int k = 0; k < WIDTH; ++k)
    sum += a[k] * b[k];
  return sum;
}

/* What one head adds to a row of values: `query` is the row of the input, `value` has HEAD_WIDTH
 * elements. Scores and values are taken through the projections by the associative law, so that the
 * keys and values of all rows need not be computed: q.(K x) = (q K).x and sum p (V x) = V sum p x.
 */
static void head_values(const Module *module, const float *input, int head, const double *query,
                        double *value) {
  double through[WIDTH] = {0}, mixed[WIDTH] = {0}, scores[LENGTH];
  double constant = 0, largest = -INFINITY, sum = 0;
  for (int d = 0; d < HEAD_WIDTH; ++d) {
    const int row = head * HEAD_WIDTH + d;
    const float *key_weight = module->in_proj_weight + (size_t)(WIDTH + row) * WIDTH;
    const double q =
        dot(module->in_proj_weight + (size_t)row * WIDTH, query) + module->in_proj_bias[row];
    constant += q * module->in_proj_bias[WIDTH + row];
    for (int k = 0; k < WIDTH; ++k)
      through[k] += q * key_weight[k];
  }
  for (int j = 0; j < LENGTH; ++j) {
    scores[j] = (dot(input + (size_t)j * WIDTH, through) + constant) / sqrt(HEAD_WIDTH);
    largest = fmax(largest, scores[j]);
  }
  for (int j = 0; j < LENGTH; ++j) {
    const double p = exp(scores[j] - largest);
    sum += p;
    for (int k = 0; k < WIDTH; ++k)
      mixed[k] += p * input[(size_t)j * WIDTH + (size_t)k];
  }
  for (int k = 0; k < WIDTH; ++k)
    mixed[k] /= sum;
  for (int d = 0; d < HEAD_WIDTH; ++d) {
    const int row = 2 * WIDTH + head * HEAD_WIDTH + d;
    value[d] = dot(module->in_proj_weight + (size_t)row * WIDTH, mixed) + module->in_proj_bias[row];
  }
}

/* Largest absolute error of CHECKED_ROWS rows of `out`; *magnitude: the largest value expected. */
static double largest_error(const Module *module, const float *input, const float *out,
                            double *magnitude) {
  double error = 0;
  *magnitude = 0;
  for (int n = 0; n < CHECKED_ROWS; ++n) {
    const size_t row = (size_t)n * (LENGTH - 1) / (CHECKED_ROWS - 1);
    double query[WIDTH], values[WIDTH];
    for (int k = 0; k < WIDTH; ++k)
      query[k] = input[row * WIDTH + (size_t)k];
    for (int head = 0; head < HEADS; ++head)
      head_values(module, input, head, query, values + head * HEAD_WIDTH);
    for (int e = 0; e < WIDTH; ++e) {
      const double expected =
          dot(module->out_proj_weight + (size_t)e * WIDTH, values) + module->out_proj_bias[e];
      const double difference = fabs(out[row * WIDTH + (size_t)e] - expected);
      if (difference > error || isnan(difference)) /* a NaN stays */
        error = difference;
      *magnitude = fmax(*magnitude, fabs(expected));
    }
  }
  return error;
}

int main(void) {
  attune_context *context;
  require(attune_context_create(NULL, &context));
  Module module = random_module();
  float *input = random_floats((size_t)BATCH * LENGTH * WIDTH, 1.0f, 5);
  float *out = allocate((size_t)BATCH * LENGTH * WIDTH * sizeof(float));
  void *packed = pack(context, &module);
  const double best = run(context, packed, input, out);
  double magnitude;
  const double error = largest_error(&module, input, out, &magnitude);
  const double allowed = 1e-5 * magnitude;
  printf("mha2560: batch %d, length %d, %d thread(s): best of %d runs %.1f ms\n", BATCH, LENGTH,
         (int)attune_context_workers(context), RUNS, 1e3 * best);
  printf(
      "mha2560: largest error of %d rows against double %.2g, allowed %.2g (largest value %.2g)\n",
      CHECKED_ROWS, error, allowed, magnitude);
  free(packed);
  free(out);
  free(input);
  free(module.in_proj_weight);
  free(module.in_proj_bias);
  free(module.out_proj_weight);
  free(module.out_proj_bias);
  attune_context_destroy(context);
  if (!(error <= allowed)) {
    fprintf(stderr, "mha2560: the error is too large\n");
    return 1;
  }
  return 0;
}
