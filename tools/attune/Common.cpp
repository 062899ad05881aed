//===- Common.cpp - What the commands of attune share ---------------------===//
#include "Common.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune::tool {

void warn(const std::string &text) { errs() << "attune: warning: " << text << "\n"; }

Expected<CompileRequest> readRequest(const ConfigOptions &options) {
  Expected<Config> config = loadConfig(options.config, options.overrides);
  if (!config)
    return config.takeError();
  CompileRequest request{std::move(*config), {}, {}};
  SmallVector<StringRef> names;
  StringRef(options.target).split(names, ',');
  for (StringRef name : names) {
    Expected<cpu::TargetInfo> target = cpu::resolveTarget(name);
    if (!target)
      return target.takeError();
    request.targets.push_back(std::move(*target));
  }
  if (options.schedule.empty())
    request.options.stored = StoredSchedules::open(options.database, warn);
  else if (options.schedule != "default") {
    auto text = MemoryBuffer::getFile(options.schedule, /*IsText=*/true);
    if (!text)
      return createStringError("cannot read %s: %s", options.schedule.c_str(),
                               text.getError().message().c_str());
    CpuSchedule schedule;
    std::string error;
    if (!parseSchedule((*text)->getBuffer().str(), options.schedule, schedule, error))
      return createStringError("%s", error.c_str());
    request.options.schedule = schedule;
  }
  return request;
}

Expected<CompiledModule> compileRequest(CompileRequest &request, bool noCache) {
  const CompileCache cache(noCache ? "" : CompileCache::defaultDirectory(), warn);
  request.options.cache = &cache;
  return compile(request.config, request.targets, request.options);
}

Expected<CompileRequest> readSingleRequest(const ConfigOptions &options) {
  Expected<CompileRequest> request = readRequest(options);
  if (request && request->targets.size() > 1)
    return createStringError("--target %s: found %zu targets, expected one; only compile takes "
                             "several",
                             options.target.c_str(), request->targets.size());
  return request;
}

Expected<CompiledModule> compileConfig(const ConfigOptions &options) {
  Expected<CompileRequest> request = readSingleRequest(options);
  if (!request)
    return request.takeError();
  return compileRequest(*request, options.noCache);
}

} // namespace attune::tool
