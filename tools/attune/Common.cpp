//===- Common.cpp - What the commands of attune share ---------------------===//
#include "Common.h"

#include "llvm/Support/MemoryBuffer.h"
#include <cstring>

using namespace llvm;

namespace attune::tool {

Expected<CompiledModule> compileConfig(const ConfigOptions &options,
                                       CompileOptions compileOptions) {
  Expected<Config> config = loadConfig(options.config, options.overrides);
  if (!config)
    return config.takeError();
  Expected<cpu::TargetInfo> target = cpu::resolveTarget(options.target);
  if (!target)
    return target.takeError();
  if (!options.schedule.empty()) {
    auto text = MemoryBuffer::getFile(options.schedule, /*IsText=*/true);
    if (!text)
      return createStringError("cannot read %s: %s", options.schedule.c_str(),
                               text.getError().message().c_str());
    CpuSchedule schedule;
    std::string error;
    if (!parseSchedule((*text)->getBuffer().str(), options.schedule, schedule, error))
      return createStringError("%s", error.c_str());
    compileOptions.schedule = schedule;
  }
  return compile(*config, *target, compileOptions);
}

static Error statusError(attune_status status) {
  if (status == ATTUNE_OK)
    return Error::success();
  const char *text = attune_last_error();
  return createStringError("%s", *text ? text : attune_status_text(status));
}

Expected<std::unique_ptr<Session>> Session::create(const CompiledModule &compiled, int threads) {
  auto loaded = LoadedModule::load(compiled.object, compiled.config.name);
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

void Session::prepare(int64_t batch, int64_t target, int64_t source) {
  workspace = attune::AlignedBuffer(
      attune_workspace_size(context, &loaded->module(), batch, target, source));
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
