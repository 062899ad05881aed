//===- RegionReference.h - Evaluates region programs in double --*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_KERNELS_REGIONREFERENCE_H
#define ATTUNE_TESTS_UNIT_KERNELS_REGIONREFERENCE_H

#include "codegen/cpu/kernels/RegionProgram.h"
#include <optional>

namespace attune::cpu::test {

struct RegionPoint {
  double score;
  int batch, head, queryIndex, keyIndex;
  std::vector<double> tileElements;
  std::vector<int> scalars;
};

/// The result of a program at one point; nothing for an empty program. Floats are rounded to
/// float32 after every operation.
std::optional<double> evaluate(const RegionProgram &program, const RegionPoint &point);

} // namespace attune::cpu::test

#endif
