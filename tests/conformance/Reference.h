//===- Reference.h - Attention in plain loops -------------------*- C++ -*-===//
//
// What a configuration computes, written down independently of the compiler. In double it is the
// truth; in float it is the naive single-precision computation whose error bounds ours.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TESTS_CONFORMANCE_REFERENCE_H
#define ATTUNE_TESTS_CONFORMANCE_REFERENCE_H

#include "Problem.h"

namespace attune::conformance {

/// How a given key with a score of -infinity takes part: one hidden from the query row by a bool
/// mask or is_causal, or by -inf from a float mask or a score function. A key that key_padding_mask
/// hides never does.
enum class MaskedKeys {
  Absent,    ///< not at all
  TimesZero, ///< its value row times zero, which lets NaN and infinity through
};

/// The dense results. T is float or double; every operation is done in T, sums in the order of
/// their index.
template <typename T>
Results<T> reference(const Problem &problem, MaskedKeys masked = MaskedKeys::Absent);

/// NaN times zero may reach a row that does not see the NaN. Such elements of `found` become those
/// of `exact`.
template <typename T>
void forgiveSpreadNan(const Problem &problem, Results<T> &found, const Results<double> &exact);

/// How far results move, to first order, when every score is off by the rounding of a float32 dot
/// product: 2^-23 times the sum of the magnitudes of its products, for a module times the error
/// that its projections add. Where scores are large, one naive result is no measure of this error:
/// two scores that nearly tie decide it, and may be rounded well or badly.
Results<double> scoreRounding(const Problem &problem);

} // namespace attune::conformance

#endif
