/* Runs a module whose parameters are part of the program, on PyTorch's inputs, and compares with
 * PyTorch's result. Usage: embed_baked FILE.safetensors */
#include "baked.h"

#include <attune/tensor_file.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void require(attune_status status) {
  if (status == ATTUNE_OK)
    return;
  fprintf(stderr, "embed_baked: %s\n", attune_last_error());
  exit(1);
}

static attune_tensor get(const attune_tensor_file *file, const char *name) {
  attune_tensor tensor;
  require(attune_tensor_file_get(file, name, &tensor));
  return tensor;
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  attune_tensor_file *file = NULL;
  attune_context *context = NULL;
  require(attune_tensor_file_open(argv[1], &file));
  require(attune_context_create(NULL, &context));

  const attune_tensor expected = get(file, "out");
  const int64_t target_length = expected.sizes[0], batch = expected.sizes[1];
  const size_t count = (size_t)(target_length * batch * expected.sizes[2]);
  baked_arguments arguments = {.struct_size = sizeof arguments};
  arguments.query = get(file, "query");
  arguments.key = get(file, "key");
  arguments.value = get(file, "value");
  arguments.attn_mask = get(file, "attn_mask");
  float *out = malloc(count * sizeof *out);
  arguments.out = attune_dense_tensor(out, ATTUNE_FLOAT32, 3, expected.sizes);
  arguments.workspace_size =
      baked_workspace_size(context, batch, target_length, arguments.key.sizes[0]);
  arguments.workspace =
      aligned_alloc(ATTUNE_ALIGNMENT, (arguments.workspace_size + ATTUNE_ALIGNMENT - 1) /
                                          ATTUNE_ALIGNMENT * ATTUNE_ALIGNMENT);
  require(baked_forward(context, &arguments));

  const float *wanted = expected.data;
  float largest = 0;
  for (size_t k = 0; k < count; ++k)
    largest = fmaxf(largest, isnan(out[k]) ? INFINITY : fabsf(out[k] - wanted[k]));
  printf("embed_baked: largest difference to PyTorch %.2g\n", largest);
  free(arguments.workspace);
  free(out);
  attune_context_destroy(context);
  attune_tensor_file_close(file);
  return largest < 1e-5f ? 0 : 1;
}
