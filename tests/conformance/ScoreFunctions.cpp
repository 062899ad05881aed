//===- ScoreFunctions.cpp - Score expressions and what they mean ----------===//
#include "ScoreFunctions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace attune::conformance {

namespace {
using std::abs;
using std::exp;
using std::log;
using std::sqrt;
using std::tanh;

constexpr float inf = std::numeric_limits<float>::infinity();

template <typename Function>
constexpr ScoreFunction row(const char *expression, Function function) {
  return {expression, function, function};
}

// A number is a float32 in the expression, so it has the suffix f here. A condition looks at
// indices alone: of two scores that nearly tie, float and double may see another one as larger.
const ScoreFunction functions[] = {
    // Relative biases, with a slope a head.
    row("s + 0.1 * (j - i)", [](auto s, auto at) { return s + 0.1f * (at.j - at.i); }),
    row("s - exp(-0.7 * (h + 1)) * abs(i - j)",
        [](auto s, auto at) { return s - exp(-0.7f * (at.h + 1)) * abs(at.i - at.j); }),
    row("s - 0.25 * (h + 1) / H * (i - j)",
        [](auto s, auto at) { return s - 0.25f * (at.h + 1) / at.H * (at.i - at.j); }),
    row("s - 4 * abs(i / L - j / S)",
        [](auto s, auto at) { return s - 4 * abs(at.i / at.L - at.j / at.S); }),
    // Soft caps.
    row("50 * tanh(s / 50)", [](auto s, auto) { return 50 * tanh(s / 50); }),
    row("s / sqrt(1 + abs(s))", [](auto s, auto) { return s / sqrt(1 + abs(s)); }),
    row("min(max(s, -1.5), 1 + 0.5 * h)",
        [](auto s, auto at) {
          using T = decltype(s);
          return std::min<T>(std::max<T>(s, -1.5f), 1 + 0.5f * at.h);
        }),
    row("log(1 + exp(min(s, 20)))",
        [](auto s, auto) { return log(1 + exp(std::min<decltype(s)>(s, 20))); }),
    // Windows: where(c, x, -inf) masks.
    row("where(abs(i - j) < 20, s, -inf)",
        [](auto s, auto at) { return abs(at.i - at.j) < 20 ? s : -inf; }),
    row("where(j < 2 or i - j <= 9 and j <= i, s, -inf)",
        [](auto s, auto at) { return at.j < 2 || (at.i - at.j <= 9 && at.j <= at.i) ? s : -inf; }),
    row("where(not (j >= S - 3) and i != j, s + b, s * D / (H + D))",
        [](auto s, auto at) {
          return !(at.j >= at.S - 3) && at.i != at.j ? s + at.b : s * at.D / (at.H + at.D);
        }),
    row("where(i == j or b == h or i > L - 5, -s, 0.5 * s)",
        [](auto s, auto at) {
          return at.i == at.j || at.b == at.h || at.i > at.L - 5 ? -s : s * 0.5f;
        }),
    // Everything masked, all alike, nothing changed.
    row("-inf", [](auto s, auto) { return static_cast<decltype(s)>(-inf); }),
    row("1", [](auto s, auto) { return static_cast<decltype(s)>(1); }),
    row("s", [](auto s, auto) { return s; }),
};
} // namespace

const ScoreFunction &scoreFunction(const std::string &expression) {
  for (const ScoreFunction &function : functions)
    if (expression == function.expression)
      return function;
  throw std::runtime_error("ScoreFunctions.cpp has no row for the expression " + expression);
}

} // namespace attune::conformance
