/* Linked by the C compiler with attune_runtime alone. */
#include "attune/attune.h"

#include <string.h>

static void add(void *closure, int64_t begin, int64_t end, int32_t worker) {
  int64_t *sums = closure;
  for (int64_t i = begin; i < end; ++i)
    sums[worker] += i;
}

int main(void) {
  attune_context_options options;
  attune_context *context = NULL;
  int64_t sums[4] = {0, 0, 0, 0};
  memset(&options, 0, sizeof(options));
  options.struct_size = sizeof(options);
  options.threads = 4;
  if (attune_context_create(&options, &context) != ATTUNE_OK)
    return 1;
  attune_parallel_for(context, 1000, 7, add, sums);
  attune_context_destroy(context);
  if (attune_forward(NULL, NULL, NULL) != ATTUNE_NULL_POINTER || attune_last_error()[0] == '\0')
    return 2;
  return sums[0] + sums[1] + sums[2] + sums[3] == 499500 ? 0 : 3;
}
