//===- PhaseDump.cpp - Files that show every phase ------------------------===//
#include "pipeline/PhaseDump.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune {

Error PhaseDump::write(Phase phase, StringRef content, StringRef target) const {
  SmallString<128> path(directory);
  sys::path::append(path, target);
  if (std::error_code code = sys::fs::create_directories(path))
    return createStringError(code, "cannot create %s", path.c_str());
  const PhaseInfo &info = phaseInfo(phase);
  sys::path::append(path, Twine(static_cast<int>(phase)) + "-" + info.name + "." + info.extension);
  std::error_code code;
  raw_fd_ostream file(path, code);
  if (code)
    return createStringError(code, "cannot write %s", path.c_str());
  file << content;
  return Error::success();
}

} // namespace attune
