/* Attention of fixed lengths in a C program, compared with plain loops in double. */
#include "attention.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 2, HEADS = 2, LENGTH = 21, DEPTH = 16 };
typedef float Heads[BATCH * HEADS][LENGTH][DEPTH];

static Heads query, key, value, out;

static attune_tensor tensor(Heads *heads) {
  const int64_t sizes[] = {BATCH, HEADS, LENGTH, DEPTH};
  return attune_dense_tensor(heads, ATTUNE_FLOAT32, 4, sizes);
}

static attune_status run(attune_context *context) {
  const size_t size = attention_workspace_size(context, BATCH, LENGTH, LENGTH);
  attention_arguments arguments = {.struct_size = sizeof arguments};
  arguments.workspace_size = (size + ATTUNE_ALIGNMENT - 1) / ATTUNE_ALIGNMENT * ATTUNE_ALIGNMENT;
  arguments.workspace = aligned_alloc(ATTUNE_ALIGNMENT, arguments.workspace_size);
  arguments.query = tensor(&query);
  arguments.key = tensor(&key);
  arguments.value = tensor(&value);
  arguments.out = tensor(&out);
  const attune_status status = attention_forward(context, &arguments);
  free(arguments.workspace);
  return status;
}

/* Largest error of one head. */
static double largest_error(int head) {
  double error = 0;
  for (int i = 0; i < LENGTH; ++i) {
    double sum = 0, expected[DEPTH] = {0};
    for (int j = 0; j < LENGTH; ++j) {
      double score = 0;
      for (int d = 0; d < DEPTH; ++d)
        score += (double)query[head][i][d] * key[head][j][d];
      const double p = exp(score / sqrt(DEPTH));
      sum += p;
      for (int d = 0; d < DEPTH; ++d)
        expected[d] += p * value[head][j][d];
    }
    for (int d = 0; d < DEPTH; ++d) {
      const double difference = fabs(out[head][i][d] - expected[d] / sum);
      if (difference > error || isnan(difference)) /* a NaN stays */
        error = difference;
    }
  }
  return error;
}

int main(void) {
  for (int head = 0; head < BATCH * HEADS; ++head)
    for (int i = 0; i < LENGTH; ++i)
      for (int d = 0; d < DEPTH; ++d) {
        const int k = (head * LENGTH + i) * DEPTH + d;
        query[head][i][d] = (float)sin(k);
        key[head][i][d] = (float)cos(3 * k);
        value[head][i][d] = (float)sin(5 * k);
      }
  attune_context *context;
  attune_status status = attune_context_create(NULL, &context);
  if (status == ATTUNE_OK) {
    status = run(context);
    attune_context_destroy(context);
  }
  if (status != ATTUNE_OK) {
    fprintf(stderr, "embed_runtime: %s\n", attune_last_error());
    return 1;
  }
  double error = 0;
  for (int head = 0; head < BATCH * HEADS; ++head) {
    const double of_head = largest_error(head);
    if (of_head > error || isnan(of_head))
      error = of_head;
  }
  printf("embed_runtime: largest error %.2g, allowed %.2g\n", error, 2e-6);
  return error <= 2e-6 ? 0 : 1;
}
