//===- Attention.cpp - Compiling for and running in an application --------===//
#include "attune/compiler.hpp"

#include "frontend/Interface.h"
#include "package/Jit.h"
#include "pipeline/Compiler.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include <cstring>
#include <mutex>

namespace attune {

namespace {
using Kind = CompileError::Kind;

[[noreturn]] void refuse(Kind kind, llvm::Error error) {
  throw CompileError(kind, llvm::toString(std::move(error)));
}

template <typename T> T valueOf(Kind kind, llvm::Expected<T> expected) {
  if (!expected)
    refuse(kind, expected.takeError());
  return std::move(*expected);
}

std::vector<std::string> namesOf(const std::vector<InterfaceTensor> &tensors) {
  std::vector<std::string> names;
  for (const InterfaceTensor &tensor : tensors)
    names.push_back(tensor.name);
  return names;
}

/// Appends tensors by name to the fixed part of a NAME_arguments or NAME_parameters struct.
void append(std::vector<char> &call, const std::vector<std::string> &names,
            const NamedTensors &tensors) {
  for (const std::string &name : names) {
    auto found = tensors.find(name);
    if (found == tensors.end())
      throw StatusError(ATTUNE_NOT_FOUND, "no tensor is given for " + name);
    const char *bytes = reinterpret_cast<const char *>(&found->second);
    call.insert(call.end(), bytes, bytes + sizeof(attune_tensor));
  }
}

/// Refuses code that cannot run in this process, before time is spent on compiling it.
void checkRunsHere(const cpu::TargetInfo &target) {
  const llvm::Triple here(llvm::sys::getProcessTriple());
  if (llvm::Triple(target.triple).getArch() != here.getArch())
    throw CompileError(Kind::Target, "target " + target.name + " is of another architecture than " +
                                         "this process, which is " + here.getArchName().str());
  if ((target.requiredFeatures & ~attune_cpu_features()) != 0)
    throw CompileError(Kind::Target, "this CPU lacks what target " + target.name +
                                         " needs; the target host fits it");
}

} // namespace

struct Attention::State {
  std::string name;
  std::vector<InterfaceTensor> inputTensors;
  std::vector<std::string> inputs, outputs, parameters;
  std::unique_ptr<LoadedModule> code;
  AlignedBuffer packed;

  std::mutex mutex;
  std::vector<AlignedBuffer> workspaces; ///< not in use

  /// A workspace of at least `size` bytes, for one call at a time.
  AlignedBuffer takeWorkspace(size_t size) {
    std::lock_guard lock(mutex);
    for (AlignedBuffer &kept : workspaces)
      if (kept.size() >= size) {
        std::swap(kept, workspaces.back());
        AlignedBuffer taken = std::move(workspaces.back());
        workspaces.pop_back();
        return taken;
      }
    if (!workspaces.empty())
      workspaces.pop_back(); // too small: the new one takes its place
    return AlignedBuffer(size);
  }

  void giveBack(AlignedBuffer workspace) {
    std::lock_guard lock(mutex);
    workspaces.push_back(std::move(workspace));
  }

  /// N, L and S of a call, from inputs whose ranks are right; attune_forward checks the rest.
  CallSizes sizesOf(const NamedTensors &tensors) const {
    int64_t symbols[] = {1, 1, 1, 1};
    for (const InterfaceTensor &input : inputTensors) {
      auto found = tensors.find(input.name);
      if (found == tensors.end() || found->second.rank != static_cast<int>(input.sizes.size()))
        continue;
      for (size_t k = 0; k < input.sizes.size(); ++k)
        if (input.sizes[k].factor == 1 && input.sizes[k].addend == 0)
          symbols[static_cast<int>(input.sizes[k].symbol)] = found->second.sizes[k];
    }
    return {symbols[static_cast<int>(SizeSymbol::Batch)],
            symbols[static_cast<int>(SizeSymbol::Target)],
            symbols[static_cast<int>(SizeSymbol::Source)]};
  }
};

const std::string &Attention::name() const { return Shared->name; }
const std::vector<std::string> &Attention::inputs() const { return Shared->inputs; }
const std::vector<std::string> &Attention::outputs() const { return Shared->outputs; }
const std::vector<std::string> &Attention::parameters() const { return Shared->parameters; }

void Attention::setParameters(const NamedTensors &tensors) {
  const attune_module &module = Shared->code->module();
  if (module.parameter_count == 0)
    return;
  std::vector<char> call(sizeof(attune_parameters));
  append(call, Shared->parameters, tensors);
  const attune_parameters fixed = {call.size()};
  std::memcpy(call.data(), &fixed, sizeof(fixed));
  AlignedBuffer packed(static_cast<size_t>(module.packed_size));
  Context context(1);
  check(attune_pack(context, &module, call.data(), packed.data(), packed.size()));
  Shared->packed = std::move(packed);
}

void Attention::operator()(const Context &context, const NamedTensors &inputs,
                           const NamedTensors &outputs) const {
  const attune_module &module = Shared->code->module();
  std::vector<char> call(sizeof(attune_call));
  append(call, Shared->inputs, inputs);
  append(call, Shared->outputs, outputs);
  if (module.parameter_count > 0 && Shared->packed.size() == 0)
    throw StatusError(ATTUNE_NOT_FOUND, name() + ": the parameters are not set");
  const CallSizes sizes = Shared->sizesOf(inputs);
  const size_t needed =
      attune_workspace_size(context, &module, sizes.batch, sizes.target, sizes.source);
  if (needed == SIZE_MAX)
    throw StatusError(ATTUNE_WRONG_SIZE, "the sizes of this call are too large for any workspace");
  AlignedBuffer workspace = Shared->takeWorkspace(needed);
  const attune_call fixed = {call.size(), Shared->packed.data(), Shared->packed.size(),
                             workspace.data(), workspace.size()};
  std::memcpy(call.data(), &fixed, sizeof(fixed));
  const attune_status status = attune_forward(context, &module, call.data());
  Shared->giveBack(std::move(workspace));
  check(status);
}

Attention compile(const std::string &configuration, const CompileSettings &settings) {
  Config config =
      valueOf(Kind::Configuration, parseConfig(configuration, "configuration", settings.Overrides));
  cpu::TargetInfo target = valueOf(Kind::Target, cpu::resolveTarget(settings.Target));
  checkRunsHere(target);
  CompileOptions options;
  if (!settings.Schedule.empty()) {
    std::string error;
    CpuSchedule schedule;
    if (!parseSchedule(settings.Schedule, "schedule", schedule, error))
      throw CompileError(Kind::Schedule, error);
    options.schedule = schedule;
  } else {
    options.stored =
        StoredSchedules::open(settings.Database.value_or(ScheduleDatabase::defaultPath()));
  }
  (void)valueOf(Kind::Schedule, chooseSchedule(config, target, options));
  CompiledModule compiled = valueOf(Kind::Internal, attune::compile(config, target, options));
  auto state = std::make_shared<Attention::State>();
  state->name = config.name;
  state->inputTensors = interfaceInputs(config);
  state->inputs = namesOf(state->inputTensors);
  state->outputs = namesOf(interfaceOutputs(config));
  state->parameters = namesOf(interfaceParameters(config));
  state->code = valueOf(Kind::Internal, LoadedModule::load(compiled.object, config.name));
  return Attention(std::move(state));
}

} // namespace attune
