//===- tensor_file_data.h - Tensors in memory that came from a file ---------------------------===//

#ifndef ATTUNE_RUNTIME_TENSOR_FILE_DATA_H
#define ATTUNE_RUNTIME_TENSOR_FILE_DATA_H

#include "attune/attune.h"

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace attune::runtime {

struct FreeBlock {
  void operator()(std::byte *Data) const { std::free(Data); }
};
/// Memory that starts at a multiple of ATTUNE_ALIGNMENT.
using AlignedBlock = std::unique_ptr<std::byte[], FreeBlock>;

/// Throws std::bad_alloc if there is not enough memory.
AlignedBlock allocateAligned(uint64_t Bytes);

/// \p Bytes, rounded up to a multiple of ATTUNE_ALIGNMENT.
constexpr uint64_t roundUp(uint64_t Bytes) {
  return (Bytes + ATTUNE_ALIGNMENT - 1) / ATTUNE_ALIGNMENT * ATTUNE_ALIGNMENT;
}

struct FileTensor {
  std::string Name;
  attune_tensor Tensor; ///< Points into FileData::Blocks; null if a size is 0.
};

/// What every reader makes of a file.
struct FileData {
  std::vector<FileTensor> Tensors; ///< In the file's order.
  std::vector<AlignedBlock> Blocks;
};

/// Computes the bytes of a dense tensor; false if a size is negative or the product overflows.
bool denseBytes(attune_dtype Dtype, int32_t Rank, const int64_t *Sizes, uint64_t &Bytes);

/// Copies the elements of a tensor to \p Target, dense and in row-major order.
void copyDense(const attune_tensor &Tensor, std::byte *Target);

/// Refuses booleans other than 0 and 1, which would be undefined behaviour in code that uses them.
/// \p What names them in the message. Other types pass.
void checkBooleans(attune_dtype Dtype, const std::byte *Data, uint64_t Bytes,
                   const std::string &What);

} // namespace attune::runtime

#endif
