//===- TestModule.h - A configuration compiled into this process -*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_TESTMODULE_H
#define ATTUNE_TESTS_CONFORMANCE_TESTMODULE_H

#include "Memory.h"
#include "attune/attune.hpp"
#include "package/Jit.h"
#include "pipeline/Compiler.h"
#include <random>

namespace attune::conformance {

using Random = std::mt19937_64;

/// A number in [least, most].
inline int64_t pick(Random &random, int64_t least, int64_t most) {
  return least + static_cast<int64_t>(random() % static_cast<uint64_t>(most - least + 1));
}
inline bool chance(Random &random, int percent) { return pick(random, 0, 99) < percent; }

/// How a call's tensors are given.
struct CallStyle {
  Placement placement = Placement::Surrounded;
  bool strided = false;       ///< random permutations, gaps and repetitions instead of dense
  bool stridedOutput = false; ///< the same for outputs, without repetitions
  std::string describe() const;
};

struct Outcome : Results<float> {
  attune_status status = ATTUNE_OK;
  std::string text;   ///< what the runtime says when status is not ATTUNE_OK
  std::string damage; ///< "" unless memory outside the outputs was written
};

/// The tensors of one call in memory, with packed parameters and workspace.
struct PlacedCall {
  std::vector<PlacedTensor> tensors; ///< inputs, then outputs
  Memory workspace;
  std::vector<unsigned char> call; ///< NAME_arguments

  attune_call &fixed() { return *reinterpret_cast<attune_call *>(call.data()); }
  attune_tensor *views() {
    return reinterpret_cast<attune_tensor *>(call.data() + sizeof(attune_call));
  }
};

/// The parameters of a problem, dense and in their own dtypes.
class DenseParameters {
public:
  explicit DenseParameters(const Problem &problem);
  const std::vector<attune_tensor> &views() const { return tensors; }

private:
  std::vector<std::vector<unsigned char>> storage;
  std::vector<attune_tensor> tensors;
};

class TestModule {
public:
  /// Compiles and loads; throws std::runtime_error with the compiler's message.
  explicit TestModule(const std::string &configJson, const std::string &target = "host",
                      std::optional<CpuSchedule> schedule = std::nullopt);
  TestModule(const Config &config, const cpu::TargetInfo &target,
             std::optional<CpuSchedule> schedule);
  /// For several targets; with the parameters of `baked`, unless it is null, in the object.
  TestModule(const Config &config, const std::vector<cpu::TargetInfo> &targets, Problem *baked);

  const Config &config() const { return compiled.config; }
  const CompiledModule &result() const { return compiled; }
  const attune_module &module() const { return variant ? *variant : loaded->module(); }
  /// Calls the code of one target from here on: one of the list that starts with module().
  void useVariant(const attune_module *one) { variant = one; }

  /// Packs the problem's parameters; an empty block without parameters.
  Memory pack(attune_context *context, const Problem &problem) const;
  /// Lays out a call. Where strides repeat elements the problem's inputs change accordingly.
  PlacedCall place(attune_context *context, Problem &problem, const Memory &packed,
                   const CallStyle &style, Random &random) const;
  Outcome forward(attune_context *context, PlacedCall &call) const;
  /// What lies in a call's outputs.
  Results<float> read(const PlacedCall &call) const;
  /// All three.
  Outcome run(attune_context *context, Problem &problem, const CallStyle &style,
              Random &random) const;
  /// Dense tensors.
  Outcome run(attune_context *context, const Problem &problem) const;

  /// Configuration, target and schedule in one line each.
  std::string describe() const;

private:
  CompiledModule compiled;
  std::unique_ptr<LoadedModule> loaded;
  const attune_module *variant = nullptr; ///< null: that of the object
};

/// Reads a configuration; throws std::runtime_error.
Config configOf(const std::string &json);
/// Resolves a target; throws std::runtime_error.
cpu::TargetInfo targetOf(const std::string &name);
/// May code for this target run here?
bool canRun(const cpu::TargetInfo &target);

} // namespace attune::conformance

#endif
