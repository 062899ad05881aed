/* What an application does: generated headers, generated objects, the runtime. Prints every element
 * of the outputs. The shapes are those of embedded_test.cpp. */
#include "first.h"
#ifdef WITH_SECOND
#include "second.h"
#endif

#include <stdio.h>
#include <stdlib.h>

enum { N = 2, L = 7, S = 19, E = 24, H = 2, D = 9 };

static uint32_t state = 1;

static float *numbers(int64_t count) {
  float *data = malloc((size_t)count * sizeof(float));
  for (int64_t k = 0; data && k < count; ++k) {
    state = state * 1664525u + 1013904223u;
    data[k] = (float)(state >> 8) / 8388608.0f - 1.0f;
  }
  return data;
}

static attune_tensor tensor(int32_t rank, int64_t a, int64_t b, int64_t c, int64_t d) {
  const int64_t sizes[] = {a, b, c, d};
  int64_t count = 1;
  for (int32_t k = 0; k < rank; ++k)
    count *= sizes[k];
  return attune_dense_tensor(numbers(count), ATTUNE_FLOAT32, rank, sizes);
}

static void expect(attune_status status) {
  if (status != ATTUNE_OK) {
    printf("%s: %s\n", attune_status_text(status), attune_last_error());
    exit(1);
  }
}

static void *room(size_t bytes) {
  return aligned_alloc(ATTUNE_ALIGNMENT,
                       (bytes + ATTUNE_ALIGNMENT) / ATTUNE_ALIGNMENT * ATTUNE_ALIGNMENT);
}

static void print(const attune_tensor *out, int64_t count) {
  for (int64_t k = 0; k < count; ++k)
    printf("%a\n", (double)((const float *)out->data)[k]);
}

static void call_first(attune_context *context) {
  first_parameters parameters = {.struct_size = sizeof(parameters)};
  parameters.in_proj_weight = tensor(2, 3 * E, E, 0, 0);
  parameters.in_proj_bias = tensor(1, 3 * E, 0, 0, 0);
  parameters.out_proj_weight = tensor(2, E, E, 0, 0);
  parameters.out_proj_bias = tensor(1, E, 0, 0, 0);
  first_arguments arguments = {.struct_size = sizeof(arguments)};
  arguments.packed_size = first_packed_size();
  void *packed = room(arguments.packed_size);
  expect(first_pack(context, &parameters, packed, arguments.packed_size));
  arguments.packed = packed;
  arguments.workspace_size = first_workspace_size(context, N, L, S);
  arguments.workspace = room(arguments.workspace_size);
  arguments.query = tensor(3, N, L, E, 0);
  arguments.key = tensor(3, N, S, E, 0);
  arguments.value = tensor(3, N, S, E, 0);
  arguments.out = tensor(3, N, L, E, 0);
  expect(first_forward(context, &arguments));
  print(&arguments.out, (int64_t)N * L * E);
}

#ifdef WITH_SECOND
static void call_second(attune_context *context) {
  second_arguments arguments = {.struct_size = sizeof(arguments)};
  arguments.workspace_size = second_workspace_size(context, N, L, S);
  arguments.workspace = room(arguments.workspace_size);
  arguments.query = tensor(4, N, H, L, D);
  arguments.key = tensor(4, N, H, S, D);
  arguments.value = tensor(4, N, H, S, D);
  arguments.out = tensor(4, N, H, L, D);
  expect(second_forward(context, &arguments));
  print(&arguments.out, (int64_t)N * H * L * D);
}
#endif

int main(void) {
  attune_context_options options = {.struct_size = sizeof(options), .threads = 2};
  attune_context *context;
  expect(attune_context_create(&options, &context));
  call_first(context);
#ifdef WITH_SECOND
  state = 1;
  call_second(context);
#endif
  attune_context_destroy(context);
  return 0;
}
