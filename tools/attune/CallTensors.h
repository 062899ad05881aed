//===- CallTensors.h - The tensors of one call ------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_CALLTENSORS_H
#define ATTUNE_TOOLS_ATTUNE_CALLTENSORS_H

#include "package/CallTensors.h"
#include "llvm/Support/Error.h"

namespace attune::tool {

/// A file of tensors and its path.
struct InputFile {
  explicit InputFile(const std::string &path) : path(path), tensors(path) {}

  /// Warns of tensors among `names`, behind `prefix`, that the file has and `used` has not: a mask
  /// or a parameter that the configuration leaves out changes the result.
  void warnOfUnused(llvm::StringRef prefix, llvm::ArrayRef<llvm::StringLiteral> names,
                    llvm::ArrayRef<InterfaceTensor> used) const;

  /// The tensors of a state_dict behind `prefix`, with such a warning.
  std::vector<attune_tensor> parameters(const std::string &prefix,
                                        llvm::ArrayRef<InterfaceTensor> specs) const;

  std::string path;
  attune::TensorFile tensors;
};

/// The names that a state_dict of nn.MultiheadAttention may have.
llvm::ArrayRef<llvm::StringLiteral> parameterNames();

/// The sizes of a call as far as they are known: first from the configuration, then from tensors.
class KnownSizes {
public:
  explicit KnownSizes(const Config &config);

  /// Takes the sizes that are still open from a tensor of `file`, which must have the right rank.
  /// Whether tensors agree is checked by the generated module.
  llvm::Error bind(const InterfaceTensor &spec, const attune_tensor &tensor, const InputFile &file);

  /// The sizes of a call; what is still open is 1, or the target length where source is open.
  CallSizes complete() const;

  std::optional<int64_t> batch, target, source;

private:
  bool isSelf;
};

} // namespace attune::tool

#endif
