//===- safetensors_header.h - The JSON header of a .safetensors file --------------------------===//

#ifndef ATTUNE_RUNTIME_SAFETENSORS_HEADER_H
#define ATTUNE_RUNTIME_SAFETENSORS_HEADER_H

#include "attune/attune.h"

#include <string>
#include <string_view>
#include <vector>

namespace attune::runtime {

constexpr size_t MaxHeaderBytes = 100000000;
/// Most tensors, and most metadata keys. Bounds what a file can make the reader allocate beyond the
/// file's own size.
constexpr size_t MaxTensors = size_t{1} << 17;
/// No name or value may be longer; bounds the JSON reader's buffers.
constexpr size_t MaxTokenBytes = size_t{8} << 20;
constexpr const char *MetadataKey = "__metadata__";

/// One tensor as the header describes it. Offsets count from the end of the header.
struct TensorEntry {
  std::string Name;
  attune_dtype Dtype = ATTUNE_FLOAT32;
  int32_t Rank = 0;
  int64_t Sizes[ATTUNE_MAX_RANK] = {};
  uint64_t Begin = 0;
  uint64_t End = 0;
};

/// Parses and checks a header against \p DataBytes, the bytes that follow it, except that names are
/// unique. Returns an empty string, or what is wrong.
std::string parseHeader(std::string_view Header, uint64_t DataBytes,
                        std::vector<TensorEntry> &Entries);

/// The name that .safetensors files use for an element type; null for an unknown one.
const char *fileDtypeName(attune_dtype Dtype);

} // namespace attune::runtime

#endif
