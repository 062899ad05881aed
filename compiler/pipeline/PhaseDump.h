//===- PhaseDump.h - Files that show every phase ----------------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_PHASEDUMP_H
#define ATTUNE_PIPELINE_PHASEDUMP_H

#include "pipeline/Phase.h"
#include "llvm/Support/Error.h"
#include <string>

namespace attune {

/// Writes phases to a directory as N-NAME.EXTENSION.
class PhaseDump {
public:
  /// "" dumps nothing.
  explicit PhaseDump(std::string directory) : directory(std::move(directory)) {}

  explicit operator bool() const { return !directory.empty(); }

  /// Writes one phase, into a folder of its own for `target` if there are several.
  llvm::Error write(Phase phase, llvm::StringRef content, llvm::StringRef target = "") const;

private:
  std::string directory;
};

} // namespace attune

#endif
