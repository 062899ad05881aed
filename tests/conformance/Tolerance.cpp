//===- Tolerance.cpp - When a result counts as right ----------------------===//
#include "Tolerance.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace attune::conformance {

namespace {
template <typename... Values> std::string format(const char *text, Values... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof(buffer), text, values...);
  return buffer;
}

double allowedError(const std::vector<double> &exact, const std::vector<float> &naive) {
  double error = 0, magnitude = 0;
  for (size_t k = 0; k < exact.size(); ++k) {
    if (!std::isfinite(exact[k]))
      continue;
    magnitude = std::max(magnitude, std::abs(exact[k]));
    // Where the naive computation overflows it says nothing of the error.
    if (std::isfinite(naive[k]))
      error = std::max(error, std::abs(naive[k] - exact[k]));
  }
  return 2 * error + 1e-6 * magnitude;
}

bool agrees(double found, double exact, double allowed, double naive) {
  // A weight that is tiny in double may be 0 in float, and 0 times infinity is NaN.
  if (std::isnan(exact) || (std::isinf(exact) && std::isnan(naive) && std::isnan(found)))
    return std::isnan(found);
  return found == exact || std::abs(found - exact) <= allowed;
}
} // namespace

std::string compare(const std::vector<float> &out, const std::vector<double> &exact,
                    const std::vector<float> &naive, const std::vector<double> &slack) {
  if (out.size() != exact.size() || naive.size() != exact.size())
    return format("%zu elements, expected %zu", out.size(), exact.size());
  const double allowedEverywhere = allowedError(exact, naive);
  size_t wrong = 0;
  std::string first;
  for (size_t k = 0; k < out.size(); ++k) {
    const double allowed = allowedEverywhere + (slack.empty() ? 0 : slack[k]);
    if (agrees(out[k], exact[k], allowed, naive[k]))
      continue;
    if (wrong++ == 0)
      first = format("element %zu of %zu is %.9g, expected %.9g within %.3g (naive: %.9g)", k,
                     out.size(), double(out[k]), exact[k], allowed, double(naive[k]));
  }
  return wrong == 0 ? "" : format("%zu elements are wrong; ", wrong) + first;
}

std::string compare(const Results<float> &found, const Results<double> &exact,
                    const Results<float> &naive, const Results<double> &slack) {
  const std::string out = compare(found.out, exact.out, naive.out, slack.out);
  const std::string weights = compare(found.weights, exact.weights, naive.weights, slack.weights);
  return (out.empty() ? "" : "out: " + out + "\n") + (weights.empty() ? "" : "weights: " + weights);
}

} // namespace attune::conformance
