//===- torch_state.h - The tensors that a pickle describes ------------------------------------===//

#ifndef ATTUNE_RUNTIME_TORCH_STATE_H
#define ATTUNE_RUNTIME_TORCH_STATE_H

#include "pickle.h"
#include "tensor_file_data.h"
#include "zip.h"

#include <string>
#include <vector>

namespace attune::runtime {

/// An entry of the archive: elements that any number of tensors are views of.
struct TorchStorage {
  const ZipEntry *Entry;
  attune_dtype Dtype;
};

/// Which elements a tensor consists of: those of its strides, from Offset on.
struct TorchView {
  uint32_t Storage; ///< Index into TorchState::Storages.
  uint32_t Tensor;  ///< Index into TorchState::Tensors.
  uint64_t Offset;  ///< In elements.
};

struct TorchState {
  std::vector<FileTensor> Tensors; ///< With the strides of the file, and without data.
  std::vector<TorchView> Views;    ///< Of each tensor.
  std::vector<TorchStorage> Storages;
};

/// Names the tensors in nested dicts, with a period between keys, and checks each against its
/// storage among the entries below \p Folder. A tensor that is not in a dict is called
/// \p TensorName. Throws a FileError.
TorchState readTorchState(const Pickle &From, const ZipArchive &Archive, const std::string &Folder,
                          std::string_view TensorName);

} // namespace attune::runtime

#endif
