// A module as the compiler would generate it, with a forward function that records its call.
#pragma once

#include "attune/attune.h"

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace attune_test {

constexpr int64_t Width = 8; ///< Fixed innermost size of query, key, value and output.
constexpr int64_t PackedBytes = 64 + 4 * Width * Width;
constexpr int64_t WorkspaceBytes = 256;

/// What the module's functions were called with last.
struct Record {
  int Forwards = 0;
  int Packs = 0;
  int64_t Workers = 0;
  attune_call_sizes Sizes = {};
  std::vector<attune_tensor> Tensors;
  const void *Packed = nullptr;
  void *Workspace = nullptr;
};
extern Record LastCall;

enum Argument { Query, Key, Value, Mask, Bias, Output, Weights, ArgumentCount };

/// NAME_arguments of the module.
struct Arguments {
  size_t struct_size;
  const void *packed;
  size_t packed_size;
  void *workspace;
  size_t workspace_size;
  attune_tensor Tensors[ArgumentCount];
};

/// A valid call of a module named "attention" with N=2, L=3, S=5, in which tests spoil one thing.
class ModuleTest : public testing::Test {
protected:
  ModuleTest();
  ~ModuleTest() override;

  /// Calls attune_forward with the members below; pack() likewise.
  attune_status forward();
  attune_status pack();

  /// Expects that the call fails with \p Status and exactly \p Text.
  void expectRefused(attune_status Status, const std::string &Text);

  std::array<attune_argument_spec, ArgumentCount> Specs;
  std::array<attune_argument_spec, 1> ParameterSpecs;
  attune_module Module;
  Arguments Call;
  struct {
    attune_parameters Start;
    attune_tensor Weight;
  } Parameters;
  attune_tensor &Parameter = Parameters.Weight;
  attune_context *Context = nullptr;

  alignas(64) float QueryData[64], KeyData[128], ValueData[128], OutputData[64], WeightsData[64],
      ParameterData[64];
  alignas(64) unsigned char MaskData[64];
  alignas(64) double BiasData[64];
  alignas(64) unsigned char Packed[PackedBytes + 64];
  alignas(64) unsigned char Workspace[WorkspaceBytes + 64];
};

} // namespace attune_test
