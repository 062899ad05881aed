/* Conversion from DLPack tensors. Include <dlpack/dlpack.h> before this header; without it this
 * header declares nothing. Plain C99, header-only. */
#ifndef ATTUNE_DLPACK_ADAPTER_H
#define ATTUNE_DLPACK_ADAPTER_H

#ifdef DLPACK_DLPACK_H_

#include "attune/attune.h"

/* DLPack's codes as numbers: older versions of its header lack the names of some. */
static inline int attune_dtype_from_dlpack(DLDataType type, attune_dtype *dtype) {
  if (type.lanes != 1)
    return 0;
  switch (type.code << 8 | type.bits) {
  case 0 << 8 | 8:
    *dtype = ATTUNE_INT8;
    return 1;
  case 0 << 8 | 16:
    *dtype = ATTUNE_INT16;
    return 1;
  case 0 << 8 | 32:
    *dtype = ATTUNE_INT32;
    return 1;
  case 0 << 8 | 64:
    *dtype = ATTUNE_INT64;
    return 1;
  case 1 << 8 | 8:
    *dtype = ATTUNE_UINT8;
    return 1;
  case 2 << 8 | 16:
    *dtype = ATTUNE_FLOAT16;
    return 1;
  case 2 << 8 | 32:
    *dtype = ATTUNE_FLOAT32;
    return 1;
  case 2 << 8 | 64:
    *dtype = ATTUNE_FLOAT64;
    return 1;
  case 4 << 8 | 16:
    *dtype = ATTUNE_BFLOAT16;
    return 1;
  case 6 << 8 | 8:
    *dtype = ATTUNE_BOOL;
    return 1;
  default:
    return 0;
  }
}

/* Makes a view of a DLPack tensor in memory that the CPU can reach; the memory stays its owner's.
 * Sets no text for attune_last_error. */
static inline attune_status attune_tensor_from_dlpack(const DLTensor *source,
                                                      attune_tensor *tensor) {
  const int cpu = 1, cuda_host = 3;
  attune_dtype dtype;
  if (!source || !tensor)
    return ATTUNE_NULL_POINTER;
  if ((int)source->device.device_type != cpu && (int)source->device.device_type != cuda_host)
    return ATTUNE_NOT_FOUND;
  if (!attune_dtype_from_dlpack(source->dtype, &dtype))
    return ATTUNE_WRONG_DTYPE;
  if (source->ndim < 0 || source->ndim > ATTUNE_MAX_RANK)
    return ATTUNE_WRONG_RANK;
  if (source->ndim > 0 && !source->shape)
    return ATTUNE_NULL_POINTER;
  *tensor =
      attune_dense_tensor(source->data ? (char *)source->data + source->byte_offset : source->data,
                          dtype, source->ndim, source->shape);
  if (source->strides)
    for (int32_t i = 0; i < source->ndim; ++i)
      tensor->strides[i] = source->strides[i];
  return ATTUNE_OK;
}

#endif
#endif
