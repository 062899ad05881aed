//===- npy_header.h - The header of a .npy file -----------------------------------------------===//

#ifndef ATTUNE_RUNTIME_NPY_HEADER_H
#define ATTUNE_RUNTIME_NPY_HEADER_H

#include "attune/attune.h"

#include <string_view>

namespace attune::runtime {

struct NpyHeader {
  attune_dtype Dtype = ATTUNE_FLOAT32;
  bool FortranOrder = false; ///< The first dimension is the innermost one.
  int32_t Rank = 0;
  int64_t Sizes[ATTUNE_MAX_RANK] = {};
};

/// Parses the header's text: a Python dict and the padding behind it. Throws a FileError.
NpyHeader parseNpyHeader(std::string_view Text);

} // namespace attune::runtime

#endif
