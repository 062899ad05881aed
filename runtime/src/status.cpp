//===- status.cpp - Texts of the status codes -------------------------------------------------===//

#include "attune/attune.h"

#include "raw_value.h"

const char *attune_status_text(attune_status status) {
  switch (attune::runtime::rawValue(status)) {
  case ATTUNE_OK:
    return "success";
  case ATTUNE_NULL_POINTER:
    return "a required pointer is null";
  case ATTUNE_WRONG_VERSION:
    return "a struct or a module belongs to another version of attune";
  case ATTUNE_WRONG_DTYPE:
    return "a tensor has an element type that is not accepted";
  case ATTUNE_WRONG_RANK:
    return "a tensor has a wrong number of dimensions";
  case ATTUNE_WRONG_SIZE:
    return "a tensor has a wrong size";
  case ATTUNE_WRONG_STRIDE:
    return "a tensor has strides that are not accepted";
  case ATTUNE_MISALIGNED:
    return "a pointer is not aligned as required";
  case ATTUNE_ALIASED:
    return "memory that is written overlaps other memory of the call";
  case ATTUNE_BUFFER_TOO_SMALL:
    return "a buffer is too small";
  case ATTUNE_WRONG_PACKED:
    return "the packed parameters do not belong to this module";
  case ATTUNE_UNSUITABLE_CPU:
    return "this CPU lacks features that the module needs";
  case ATTUNE_OUT_OF_MEMORY:
    return "out of memory";
  case ATTUNE_NO_THREADS:
    return "the number of threads is not possible";
  case ATTUNE_IO_ERROR:
    return "a file could not be read or written";
  case ATTUNE_BAD_FILE:
    return "a file is malformed";
  case ATTUNE_NOT_FOUND:
    return "not found";
  }
  return "unknown status";
}
