// Compiles attention at run time, for applications that learn shapes or machine only then.
//
// C++17, without a trace of LLVM, MLIR or Halide in this header. Link attune::compiler of
// find_package(attune COMPONENTS compiler), or libattune_compiler.so; it contains the runtime.
//
//   attune::Context Workers;
//   attune::Attention Layer = attune::compile(R"({"module": {"embed_dim": 256, "num_heads": 8},
//                                                 "forward": {"need_weights": false}})");
//   Layer.setParameters(Parameters);
//   Layer(Workers, {{"query", Query}, {"key", Key}, {"value", Value}}, {{"out", Out}});
//
// Errors are exceptions: CompileError for what is not compiled, StatusError for calls,
// std::bad_alloc where memory is short. Compiling takes tens of milliseconds to seconds and writes
// no files; it reads the database of measured schedules.
#ifndef ATTUNE_COMPILER_HPP
#define ATTUNE_COMPILER_HPP

#include "attune/attune.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace attune {

/// What the compiler refuses; what() names the key or file, what was found and what would be right.
class CompileError : public std::runtime_error {
public:
  enum class Kind {
    Configuration, ///< unknown keys, wrong types, contradictions, a malformed score expression
    Target,        ///< no such CPU, or not one whose code can run in this process
    Schedule,      ///< malformed, or illegal for configuration and target
    Internal       ///< the compiler failed on a configuration that it accepted: a defect of attune
  };

  CompileError(Kind Why, const std::string &Text) : std::runtime_error(Text), Why(Why) {}
  Kind kind() const noexcept { return Why; }

private:
  Kind Why;
};

/// Views of the application's memory under their names: query, key, value, attn_mask,
/// key_padding_mask, out, weights, and parameters as in PyTorch's state_dict. attune::tensor makes
/// dense ones.
using NamedTensors = std::map<std::string, attune_tensor>;

struct CompileSettings {
  std::string Target = "host";        ///< a name that `attune targets` lists
  std::vector<std::string> Overrides; ///< KEY=VALUE, as --set takes them: "forward.is_causal=true"
  std::string Schedule;               ///< JSON text; "" for a measured or the default schedule
  /// Measured schedules are looked for in this file, then among those that come with attune; "": in
  /// neither. Without a value: the file that `attune tune` fills by default.
  std::optional<std::string> Database = std::nullopt;
};

/// A compiled configuration in this process. Copies share the code and its packed parameters; the
/// last one frees them. One that was moved from can only be destroyed or assigned to. Const members
/// may be called from any number of threads at once.
class Attention {
public:
  /// The configuration's key `name`.
  const std::string &name() const;
  /// Names of the tensors that a call reads and fills, and of those that setParameters takes, in
  /// the order of the generated interface.
  const std::vector<std::string> &inputs() const;
  const std::vector<std::string> &outputs() const;
  const std::vector<std::string> &parameters() const;

  /// Packs the parameters, for this object and its copies; they may be freed afterwards. Other
  /// names in the map are ignored, so that a whole checkpoint can be given. Not to be called while
  /// a call runs. Throws StatusError, and the parameters set before then stay.
  void setParameters(const NamedTensors &Parameters);

  /// Runs the forward pass on the workers of \p Context. Tensors have the shapes of the generated
  /// interface: those of PyTorch's module for the configuration's layout. Outputs may not overlap
  /// anything else. Workspaces, one for each call that runs, are kept for later calls. Throws
  /// StatusError: ATTUNE_NOT_FOUND for a missing name or for parameters that were not set, else the
  /// status that says what is wrong with a tensor; the outputs are then untouched.
  void operator()(const Context &Context, const NamedTensors &Inputs,
                  const NamedTensors &Outputs) const;

private:
  friend Attention compile(const std::string &, const CompileSettings &);
  struct State;
  explicit Attention(std::shared_ptr<State> Shared) : Shared(std::move(Shared)) {}

  std::shared_ptr<State> Shared;
};

/// Compiles a configuration given as JSON text and loads the code. Any number of threads may
/// compile at once; results do not depend on it. Throws CompileError.
Attention compile(const std::string &Configuration, const CompileSettings &Settings = {});

} // namespace attune

#endif
