//===- TargetsCommand.cpp - attune targets --------------------------------===//
#include "Common.h"

#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune::tool {

Error listTargets() {
  auto host = attune::cpu::resolveTarget("host");
  if (host)
    outs() << "host: " << host->cpu << ", " << host->kernels.vectorLanes << " float32 lanes, L1 "
           << host->traits.l1Bytes / 1024 << " KiB, L2 " << host->traits.l2Bytes / 1024 << " KiB\n";
  else
    consumeError(host.takeError());
  for (const std::string &name : attune::cpu::targetNames())
    outs() << name << "\n";
  return Error::success();
}

} // namespace attune::tool
