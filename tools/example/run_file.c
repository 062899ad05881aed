/* Runs the module that attune compiled from mha256.json on a file that export.py wrote, and
 * compares with PyTorch's result in that file.
 *
 *   attune compile mha256.json -o . --target host
 *   cc -std=c11 -O2 -I. -I<attune>/runtime/include run_file.c mha256.o -L<attune>/build/release/lib
 * \ -lattune_tensors -lattune_runtime -lstdc++ -lpthread -lm -o run_file
 */
#include "mha256.h"
#include <attune/tensor_file.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void require(attune_status status) {
  if (status == ATTUNE_OK)
    return;
  fprintf(stderr, "%s: %s\n", attune_status_text(status), attune_last_error());
  exit(1);
}

static attune_tensor get(const attune_tensor_file *file, const char *name) {
  attune_tensor tensor;
  require(attune_tensor_file_get(file, name, &tensor));
  return tensor;
}

static void *allocate(size_t bytes) {
  size_t rounded = (bytes + ATTUNE_ALIGNMENT - 1) / ATTUNE_ALIGNMENT * ATTUNE_ALIGNMENT;
  void *memory = aligned_alloc(ATTUNE_ALIGNMENT, rounded);
  if (memory == NULL)
    exit(1);
  return memory;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s FILE.safetensors\n", argv[0]);
    return 2;
  }
  attune_tensor_file *file;
  attune_context *context;
  require(attune_tensor_file_open(argv[1], &file));
  require(attune_context_create(NULL, &context));

  /* Once: the parameters, under their state_dict names, into the layout of the code. */
  mha256_parameters parameters = {.struct_size = sizeof parameters};
  parameters.in_proj_weight = get(file, "in_proj_weight");
  parameters.in_proj_bias = get(file, "in_proj_bias");
  parameters.out_proj_weight = get(file, "out_proj.weight");
  parameters.out_proj_bias = get(file, "out_proj.bias");
  void *packed = allocate(mha256_packed_size());
  require(mha256_pack(context, &parameters, packed, mha256_packed_size()));

  /* For every call: inputs, outputs and a workspace. */
  const attune_tensor expected = get(file, "out");
  const int64_t batch = expected.sizes[0], length = expected.sizes[1];
  const size_t count = (size_t)(batch * length * expected.sizes[2]);
  float *out = allocate(count * sizeof(float));
  mha256_arguments arguments = {.struct_size = sizeof arguments};
  arguments.packed = packed;
  arguments.packed_size = mha256_packed_size();
  arguments.workspace_size = mha256_workspace_size(context, batch, length, length);
  arguments.workspace = allocate(arguments.workspace_size);
  arguments.query = get(file, "query");
  arguments.out = attune_dense_tensor(out, ATTUNE_FLOAT32, 3, expected.sizes);
  require(mha256_forward(context, &arguments));

  double error = 0;
  for (size_t k = 0; k < count; ++k) {
    const double difference = fabs((double)out[k] - ((const float *)expected.data)[k]);
    if (difference > error || isnan(difference)) /* a NaN stays */
      error = difference;
  }
  printf("batch %d, length %d: largest difference to PyTorch %.2g\n", (int)batch, (int)length,
         error);
  free(arguments.workspace);
  free(out);
  free(packed);
  attune_context_destroy(context);
  attune_tensor_file_close(file);
  return error < 1e-5 ? 0 : 1;
}
