//===- ReadBandwidth.h - What memory delivers -------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_READBANDWIDTH_H
#define ATTUNE_TOOLS_ATTUNE_READBANDWIDTH_H

namespace attune::tool {

/// Bytes that `threads` threads together read from memory in a second, in GB/s: each sums a block
/// of its own that no cache holds; the best of several passes.
double measureReadBandwidth(int threads);

} // namespace attune::tool

#endif
