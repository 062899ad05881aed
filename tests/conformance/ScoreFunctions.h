//===- ScoreFunctions.h - Score expressions and what they mean --*- C++ -*-===//
//
// Every score expression that a test uses stands in one table next to a C++ function of the same
// meaning, so that the reference shares nothing with the compiler's parser.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TESTS_CONFORMANCE_SCOREFUNCTIONS_H
#define ATTUNE_TESTS_CONFORMANCE_SCOREFUNCTIONS_H

#include <string>
#include <type_traits>

namespace attune::conformance {

/// The variables of an expression besides s, and its constants.
template <typename T> struct ScorePlace {
  T b, h, i, j, L, S, H, D;
};

struct ScoreFunction {
  const char *expression;
  float (*inFloat)(float s, const ScorePlace<float> &at);
  double (*inDouble)(double s, const ScorePlace<double> &at);

  template <typename T> T operator()(T s, const ScorePlace<T> &at) const {
    if constexpr (std::is_same_v<T, float>)
      return inFloat(s, at);
    else
      return inDouble(s, at);
  }
};

/// The table's row for an expression; throws std::runtime_error when it has none.
const ScoreFunction &scoreFunction(const std::string &expression);

} // namespace attune::conformance

#endif
