// Compiles attention at run time, for applications that learn shapes or machine only then.
//
// C++17, without a trace of LLVM or Halide in this header. Link the library attune_compiler.
#ifndef ATTUNE_COMPILER_HPP
#define ATTUNE_COMPILER_HPP

#include "attune/attune.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace attune {

/// What the compiler refuses, with a text that names the key or file, what was found and what would
/// be right.
class CompileError : public std::runtime_error {
public:
  enum class Kind {
    Configuration, ///< unknown keys, wrong types, contradictions, a malformed score expression
    Target,        ///< no such CPU, or not the one this process runs on
    Schedule,      ///< malformed, or illegal for configuration and target
    Internal       ///< the compiler failed on a configuration that it accepted
  };

  CompileError(Kind Why, const std::string &Text) : std::runtime_error(Text), Why(Why) {}
  Kind kind() const noexcept { return Why; }

private:
  Kind Why;
};

/// Tensors under their names: query, key, value, attn_mask, key_padding_mask, out, weights, and
/// parameters as in PyTorch's state_dict.
using NamedTensors = std::map<std::string, attune_tensor>;

struct CompileSettings {
  std::string Target = "host";
  std::vector<std::string> Overrides; ///< KEY=VALUE, as --set takes them
  std::string Schedule;               ///< JSON text; "" for the default schedule
};

/// A compiled configuration in this process. Copies share the code and its packed parameters. All
/// const members may be called from any number of threads at once.
class Attention {
public:
  const std::string &name() const;
  /// Names that a call needs and fills, in the order of the generated interface.
  const std::vector<std::string> &inputs() const;
  const std::vector<std::string> &outputs() const;
  const std::vector<std::string> &parameters() const;

  /// Packs the parameters, which may be freed afterwards. Other names in the map are ignored, so
  /// that a whole checkpoint can be given. Not to be called while a call runs. Throws StatusError.
  void setParameters(const NamedTensors &Parameters);

  /// Runs the forward pass on the workers of \p Context. Tensors are views of the application's
  /// memory with the shapes of the generated interface; a missing name, a wrong shape, dtype or
  /// stride throws StatusError. Workspaces are kept for later calls.
  void operator()(const Context &Context, const NamedTensors &Inputs,
                  const NamedTensors &Outputs) const;

private:
  friend Attention compile(const std::string &, const CompileSettings &);
  struct State;
  explicit Attention(std::shared_ptr<State> Shared) : Shared(std::move(Shared)) {}

  std::shared_ptr<State> Shared;
};

/// Compiles a configuration given as JSON text. Thread-safe. Throws CompileError.
Attention compile(const std::string &Configuration, const CompileSettings &Settings = {});

} // namespace attune

#endif
