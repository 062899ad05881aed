//===- npy.h - Reading NumPy's .npy and .npz files --------------------------------------------===//

#ifndef ATTUNE_RUNTIME_NPY_H
#define ATTUNE_RUNTIME_NPY_H

#include "tensor_file_data.h"
#include "tensor_file_source.h"
#include "zip.h"

#include <string_view>

namespace attune::runtime {

/// Reads a .npy file, of one tensor that has no name in the file; throws a FileError.
FileData readNpy(const Source &From, std::string_view Name);

/// Reads a .npz file: an archive of .npy files. Throws a FileError.
FileData readNpz(const ZipArchive &Archive);

} // namespace attune::runtime

#endif
