//===- RandomMasks.h - Masks that find mistakes -----------------*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_RANDOMMASKS_H
#define ATTUNE_TESTS_CONFORMANCE_RANDOMMASKS_H

#include "TestModule.h"

namespace attune::conformance {

/// The tiles whose queries and keys a mask may hide all at once, or not at all.
struct MaskGrid {
  int64_t rows = 6, columns = 16;
};

/// What stands in a float mask where the same bool mask is true.
enum class HiddenBy {
  Infinity,     ///< -infinity
  FiniteMinima, ///< the lowest float, or -1e9
};

/// Fills attn_mask and key_padding_mask. Bool masks may become uint8 with any number for true.
void fillMasks(Problem &problem, const MaskGrid &grid, HiddenBy hiddenBy, Random &random);

/// Puts NaN and infinities into the rows of key and value that key_padding_mask hides.
void poisonPadding(Problem &problem, Random &random);

/// Normally distributed but for the tails, which end at 3.5: a sum of four uniform numbers. The
/// standard's distributions differ between libraries.
float normal(Random &random);

} // namespace attune::conformance

#endif
