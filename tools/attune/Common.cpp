//===- Common.cpp - What the commands of attune share ---------------------===//
#include "Common.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

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

static Error statusError(attune_status status) {
  if (status == ATTUNE_OK)
    return Error::success();
  const char *text = attune_last_error();
  return createStringError("%s", *text ? text : attune_status_text(status));
}

Expected<std::unique_ptr<Session>> Session::create(const CompiledModule &compiled, int threads,
                                                   ArrayRef<LoadedModule::Symbol> symbols) {
  auto loaded = LoadedModule::load(compiled.object, compiled.config.name, symbols);
  if (!loaded)
    return loaded.takeError();
  std::unique_ptr<Session> session(new Session(attune::Context(threads)));
  session->loaded = std::move(*loaded);
  return session;
}

/// A NAME_arguments or NAME_parameters struct: the fixed part, then the tensors.
template <typename Fixed>
static std::vector<char> callStruct(Fixed fixed, ArrayRef<attune_tensor> tensors) {
  std::vector<char> bytes(sizeof(Fixed) + tensors.size() * sizeof(attune_tensor));
  fixed.struct_size = bytes.size();
  std::memcpy(bytes.data(), &fixed, sizeof(Fixed));
  if (!tensors.empty())
    std::memcpy(bytes.data() + sizeof(Fixed), tensors.data(),
                tensors.size() * sizeof(attune_tensor));
  return bytes;
}

Error Session::pack(ArrayRef<attune_tensor> parameters) {
  const attune_module &module = loaded->module();
  if (module.parameter_count == 0)
    return Error::success();
  packed = attune::AlignedBuffer(module.packed_size);
  std::vector<char> call = callStruct(attune_parameters{}, parameters);
  return statusError(attune_pack(context, &module, call.data(), packed.data(), packed.size()));
}

Error Session::prepare(const CallSizes &sizes) {
  const size_t bytes =
      attune_workspace_size(context, &loaded->module(), sizes.batch, sizes.target, sizes.source);
  if (bytes == SIZE_MAX)
    return createStringError("batch size %lld, target length %lld and source length %lld are too "
                             "large for any workspace; expected smaller sizes",
                             static_cast<long long>(sizes.batch),
                             static_cast<long long>(sizes.target),
                             static_cast<long long>(sizes.source));
  workspace = attune::AlignedBuffer(bytes);
  return Error::success();
}

Error Session::forward(ArrayRef<attune_tensor> tensors) {
  attune_call fixed{};
  fixed.packed = packed.data();
  fixed.packed_size = packed.size();
  fixed.workspace = workspace.data();
  fixed.workspace_size = workspace.size();
  std::vector<char> call = callStruct(fixed, tensors);
  return statusError(attune_forward(context, &loaded->module(), call.data()));
}

} // namespace attune::tool
