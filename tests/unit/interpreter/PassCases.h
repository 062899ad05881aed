//===- PassCases.h - Configurations that passes are tested on ---*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_INTERPRETER_PASSCASES_H
#define ATTUNE_TESTS_UNIT_INTERPRETER_PASSCASES_H

#include "PlainAttention.h"
#include <ostream>
#include <random>

namespace attune::test {

struct PassCase {
  std::string name, json;
  Sizes sizes;
  bool valuesAsIs = false;        ///< head_dim is whole vectors
  bool holdsNanInPadding = false; ///< keys and values of padded keys are NaN
  Score score = {};               ///< the configuration's score expression
};

void PrintTo(const PassCase &passCase, std::ostream *stream);

std::vector<PassCase> passCases();

/// Random inputs and parameters. attn_mask hides about half of the keys, and all keys of row 2.
/// key_padding_mask hides about half of the keys of batch element 0, all of element 1, and of the
/// others those at either end.
Tensors randomTensors(const Config &config, const PassCase &passCase, std::mt19937 &generator);

} // namespace attune::test

#endif
