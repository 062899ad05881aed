/* embed_c FILE: self-attention in a C program. Writes a module's parameters to FILE, reads them
 * from there as an application would, and compares the result with plain loops in double. */
#include "encoder.h"

#include <attune/tensor_file.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 48, HEADS = 4, HEAD_WIDTH = WIDTH / HEADS, BATCH = 3, LENGTH = 37 };

static float in_weight[3 * WIDTH][WIDTH], in_bias[3 * WIDTH];
static float out_weight[WIDTH][WIDTH], out_bias[WIDTH];
static float input[BATCH][LENGTH][WIDTH], out[BATCH][LENGTH][WIDTH];

static void require(attune_status status) {
  if (status == ATTUNE_OK)
    return;
  fprintf(stderr, "embed_c: %s: %s\n", attune_status_text(status), attune_last_error());
  exit(1);
}

static void *allocate(size_t bytes) {
  const size_t rounded = (bytes + ATTUNE_ALIGNMENT - 1) / ATTUNE_ALIGNMENT * ATTUNE_ALIGNMENT;
  void *memory = aligned_alloc(ATTUNE_ALIGNMENT, rounded);
  if (memory == NULL) {
    fprintf(stderr, "embed_c: out of memory\n");
    exit(1);
  }
  return memory;
}

/* `count` floats in [-scale, scale), the same in every run. */
static void fill(float *values, size_t count, float scale, uint64_t seed) {
  for (size_t k = 0; k < count; ++k) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    values[k] = scale * ((float)(seed >> 40) / 8388608.0f - 1.0f);
  }
}

/* ---- The application ------------------------------------------------------------------------- */

static void write_parameters(const char *path) {
  static const char *const names[] = {"in_proj_weight", "in_proj_bias", "out_proj.weight",
                                      "out_proj.bias"};
  const int64_t in_sizes[] = {3 * WIDTH, WIDTH}, out_sizes[] = {WIDTH, WIDTH};
  fill(&in_weight[0][0], sizeof in_weight / sizeof(float), 0.3f, 1);
  fill(in_bias, sizeof in_bias / sizeof(float), 0.3f, 2);
  fill(&out_weight[0][0], sizeof out_weight / sizeof(float), 0.3f, 3);
  fill(out_bias, sizeof out_bias / sizeof(float), 0.3f, 4);
  const attune_tensor tensors[] = {attune_dense_tensor(in_weight, ATTUNE_FLOAT32, 2, in_sizes),
                                   attune_dense_tensor(in_bias, ATTUNE_FLOAT32, 1, in_sizes),
                                   attune_dense_tensor(out_weight, ATTUNE_FLOAT32, 2, out_sizes),
                                   attune_dense_tensor(out_bias, ATTUNE_FLOAT32, 1, out_sizes)};
  require(attune_tensor_file_write(path, 4, names, tensors));
}

static void *pack_parameters(attune_context *context, const char *path) {
  attune_tensor_file *file;
  encoder_parameters parameters = {.struct_size = sizeof parameters};
  require(attune_tensor_file_open(path, &file));
  require(attune_tensor_file_get(file, "in_proj_weight", &parameters.in_proj_weight));
  require(attune_tensor_file_get(file, "in_proj_bias", &parameters.in_proj_bias));
  require(attune_tensor_file_get(file, "out_proj.weight", &parameters.out_proj_weight));
  require(attune_tensor_file_get(file, "out_proj.bias", &parameters.out_proj_bias));
  void *packed = allocate(encoder_packed_size());
  require(encoder_pack(context, &parameters, packed, encoder_packed_size()));
  attune_tensor_file_close(file);
  return packed;
}

static void run(attune_context *context, const void *packed) {
  const int64_t sizes[] = {BATCH, LENGTH, WIDTH};
  encoder_arguments arguments = {.struct_size = sizeof arguments};
  arguments.packed = packed;
  arguments.packed_size = encoder_packed_size();
  arguments.workspace_size = encoder_workspace_size(context, BATCH, LENGTH, LENGTH);
  arguments.workspace = allocate(arguments.workspace_size);
  arguments.query = attune_dense_tensor(input, ATTUNE_FLOAT32, 3, sizes);
  arguments.out = attune_dense_tensor(out, ATTUNE_FLOAT32, 3, sizes);
  require(encoder_forward(context, &arguments));
  free(arguments.workspace);
}

/* ---- The check: the definition of the module in double --------------------------------------- */

/* Row `row` of the packed input projections (query, key and value below each other) for one token.
 */
static double projected(int batch, int token, int row) {
  double sum = in_bias[row];
  for (int k = 0; k < WIDTH; ++k)
    sum += (double)in_weight[row][k] * input[batch][token][k];
  return sum;
}

/* The values of all heads for one query, side by side. */
static void attend(int batch, int query, double projections[LENGTH][3 * WIDTH],
                   double values[WIDTH]) {
  for (int j = 0; j < LENGTH; ++j)
    for (int row = 0; row < 3 * WIDTH; ++row)
      projections[j][row] = projected(batch, j, row);
  for (int head = 0; head < HEADS; ++head) {
    double sum = 0, *value = values + head * HEAD_WIDTH;
    for (int d = 0; d < HEAD_WIDTH; ++d)
      value[d] = 0;
    for (int j = 0; j < LENGTH; ++j) {
      double score = 0;
      for (int d = head * HEAD_WIDTH; d < (head + 1) * HEAD_WIDTH; ++d)
        score += projections[query][d] * projections[j][WIDTH + d];
      const double p = exp(score / sqrt(HEAD_WIDTH));
      sum += p;
      for (int d = 0; d < HEAD_WIDTH; ++d)
        value[d] += p * projections[j][2 * WIDTH + head * HEAD_WIDTH + d];
    }
    for (int d = 0; d < HEAD_WIDTH; ++d)
      value[d] /= sum;
  }
}

/* Largest error of all results, in units of the largest value. */
static double largest_error(void) {
  static double projections[LENGTH][3 * WIDTH];
  double error = 0, magnitude = 0, values[WIDTH];
  for (int n = 0; n < BATCH; ++n)
    for (int i = 0; i < LENGTH; ++i) {
      attend(n, i, projections, values);
      for (int e = 0; e < WIDTH; ++e) {
        double expected = out_bias[e];
        for (int k = 0; k < WIDTH; ++k)
          expected += out_weight[e][k] * values[k];
        const double difference = fabs(out[n][i][e] - expected);
        if (difference > error || isnan(difference)) /* a NaN stays */
          error = difference;
        magnitude = fmax(magnitude, fabs(expected));
      }
    }
  return error / magnitude;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: embed_c FILE\n");
    return 2;
  }
  attune_context *context;
  require(attune_context_create(NULL, &context));
  write_parameters(argv[1]);
  fill(&input[0][0][0], sizeof input / sizeof(float), 1.0f, 5);
  void *packed = pack_parameters(context, argv[1]);
  run(context, packed);
  const double error = largest_error(), allowed = 5e-6;
  printf("embed_c: largest relative error %.2g, allowed %.2g\n", error, allowed);
  free(packed);
  attune_context_destroy(context);
  return error <= allowed ? 0 : 1;
}
