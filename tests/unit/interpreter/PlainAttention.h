//===- PlainAttention.h - Attention as plain loops --------------*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_INTERPRETER_PLAINATTENTION_H
#define ATTUNE_TESTS_UNIT_INTERPRETER_PLAINATTENTION_H

#include "dialect/Interpreter.h"
#include "frontend/Config.h"
#include <map>
#include <string>

namespace attune::test {

/// The sizes of one call.
struct Sizes {
  int64_t batch, target, source;
};

/// Tensors by name. Those that the configuration makes the same are there once.
using Tensors = std::map<std::string, mha::Array>;

/// What the configuration computes, written down from its definition and in the order of `out`.
mha::Array plainAttention(const Config &config, const Sizes &sizes, const Tensors &tensors);

} // namespace attune::test

#endif
