//===- torch_file.h - Reading PyTorch's .pt files ---------------------------------------------===//

#ifndef ATTUNE_RUNTIME_TORCH_FILE_H
#define ATTUNE_RUNTIME_TORCH_FILE_H

#include "tensor_file_data.h"
#include "zip.h"

#include <string_view>

namespace attune::runtime {

/// Whether an archive is what torch.save writes rather than NumPy.
bool isTorchArchive(const ZipArchive &Archive);

/// Reads what torch.save wrote: a state_dict, dicts of state_dicts, or a single tensor, which is
/// then called \p TensorName. Throws a FileError.
FileData readTorchFile(const ZipArchive &Archive, std::string_view TensorName);

} // namespace attune::runtime

#endif
