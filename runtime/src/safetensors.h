//===- safetensors.h - Reading .safetensors files ---------------------------------------------===//

#ifndef ATTUNE_RUNTIME_SAFETENSORS_H
#define ATTUNE_RUNTIME_SAFETENSORS_H

#include "tensor_file_data.h"
#include "tensor_file_source.h"

namespace attune::runtime {

/// Reads a .safetensors file; throws a FileError.
FileData readSafetensors(const Source &From);

} // namespace attune::runtime

#endif
