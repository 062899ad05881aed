/* Both headers in C11: they compile, link and work. */
#include "attune/attune.h"
#include "attune/tensor_file.h"

#include <string.h>

_Static_assert(sizeof(attune_packed_header) == ATTUNE_ALIGNMENT, "a header fills its alignment");
_Static_assert(sizeof(attune_call) % _Alignof(attune_tensor) == 0,
               "tensors follow an attune_call without padding");

/* Gives 0, or the number of the step that failed. */
int attuneUseInterfaceFromC(void) {
  attune_context *context = NULL;
  attune_tensor_file *file = NULL;
  const char bytes[] = "\x02\0\0\0\0\0\0\0{}";
  int64_t sizes[2] = {2, 3};
  attune_tensor tensor = attune_dense_tensor(NULL, ATTUNE_FLOAT32, 2, sizes);
  if (tensor.strides[0] != 3 || tensor.strides[1] != 1)
    return 1;
  if (attune_context_create(NULL, &context) != ATTUNE_OK || attune_context_workers(context) < 1)
    return 2;
  attune_context_destroy(context);
  if (attune_tensor_file_parse(bytes, sizeof(bytes) - 1, "empty", &file) != ATTUNE_OK)
    return 3;
  if (attune_tensor_file_count(file) != 0 || attune_tensor_file_name(file, 0) != NULL)
    return 4;
  if (attune_tensor_file_get(file, "x", &tensor) != ATTUNE_NOT_FOUND)
    return 5;
  attune_tensor_file_close(file);
  if (strcmp(attune_status_text(ATTUNE_OK), "success") != 0)
    return 6;
  return 0;
}
