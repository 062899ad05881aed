//===- AttentionRow.h - One query row of one head, in plain loops -*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_ATTENTIONROW_H
#define ATTUNE_TESTS_CONFORMANCE_ATTENTIONROW_H

#include "Problem.h"
#include "Reference.h"
#include "ScoreFunctions.h"

namespace attune::conformance {

/// Which keys a query row may see, and what masks add to its scores.
class Masks {
public:
  explicit Masks(const Problem &problem);

  /// Hidden from all query rows of a batch element: a true or -inf key_padding_mask.
  bool pads(int64_t n, int64_t j) const;
  /// Hidden by is_causal, a bool mask or padding. -inf of a float attn_mask is added, not hidden.
  bool hides(int64_t n, int64_t h, int64_t i, int64_t j) const;
  /// `score` with the float masks added.
  template <typename T> T masked(T score, int64_t n, int64_t h, int64_t i, int64_t j) const;

private:
  float attnElement(int64_t n, int64_t h, int64_t i, int64_t j) const;

  const HostTensor *attn, *padding; ///< null: none
  bool causal, attnIsFloat, paddingIsFloat, isPerHead;
  int64_t heads, target, source;
};

/// One head of one batch element. Columns are the given keys, then the appended ones.
template <typename T> struct HeadData {
  int64_t n, h, columns;
  std::vector<T> keys = {};   ///< [head_dim][columns]
  std::vector<T> values = {}; ///< [columns][head_dim]
};

template <typename T> struct RowResult {
  std::vector<T> out;     ///< [head_dim]
  std::vector<T> weights; ///< [columns]
};

/// Computes rows of one problem in T, every operation rounded to T, sums in the order of their
/// index.
template <typename T> class AttentionRows {
public:
  explicit AttentionRows(const Problem &problem, MaskedKeys masked = MaskedKeys::Absent);

  RowResult<T> row(const HeadData<T> &head, int64_t i, const T *query) const;

  /// How far row() moves, to first order, when every dot product is off by `unit` times the sum of
  /// the magnitudes of its products.
  RowResult<T> movement(const HeadData<T> &head, int64_t i, const T *query, T unit) const;

private:
  /// The final scores, -infinity for hidden keys. `moved`, if given, receives how far each moves.
  std::vector<T> scores(const HeadData<T> &head, int64_t i, const T *query,
                        std::vector<T> *moved = nullptr, T unit = 0) const;
  /// The score of a given key behind score expression and masks.
  T shaped(T scaled, const HeadData<T> &head, int64_t i, int64_t j) const;
  /// Takes no part at all, whatever it holds.
  bool isAbsent(const HeadData<T> &head, int64_t j, T score) const;
  RowResult<T> weighted(const HeadData<T> &head, const std::vector<T> &scores) const;

  Masks masks;
  MaskedKeys maskedKeys;
  const ScoreFunction *function; ///< null: none
  int64_t target, source, heads, depth;
  T scale;
  bool nanRows;
};

} // namespace attune::conformance

#endif
