//===- PlainAttention.h - Attention as plain loops --------------*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_INTERPRETER_PLAINATTENTION_H
#define ATTUNE_TESTS_UNIT_INTERPRETER_PLAINATTENTION_H

#include "dialect/Interpreter.h"
#include "frontend/Config.h"
#include <functional>
#include <map>
#include <string>

namespace attune::test {

/// Tensors by name. Those that the configuration makes the same are there once.
using Tensors = std::map<std::string, mha::Array>;

/// The sizes of one call.
struct Sizes {
  int64_t batch, target, source;
};

/// What a score expression makes of s at (b, h, i, j).
using Score = std::function<double(double s, int64_t b, int64_t h, int64_t i, int64_t j)>;

/// What the configuration computes, written down from its definition: `out`, and the weights if
/// they are needed. `score` stands for the configuration's expression.
std::vector<mha::Array> plainAttention(const Config &config, const Sizes &sizes,
                                       const Tensors &tensors, const Score &score = {});

} // namespace attune::test

#endif
