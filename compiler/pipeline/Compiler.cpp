//===- Compiler.cpp - From a configuration to code ------------------------===//
#include "pipeline/Compiler.h"

#include "codegen/cpu/MachineCode.h"
#include "package/CompileKey.h"
#include "pipeline/BakedParameters.h"
#include "pipeline/PhaseDump.h"
#include "pipeline/Reproducer.h"
#include "pipeline/TargetLowering.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"
#include <numeric>

using namespace llvm;

namespace attune {

static bool multipliesPairs(const Config &config) {
  return config.productDtype() == DType::BFloat16;
}

cpu::TargetInfo targetFor(const Config &config, const cpu::TargetInfo &target) {
  cpu::TargetInfo result = target;
  if (multipliesPairs(config))
    cpu::multiplyPairs(result);
  return result;
}

Expected<ChosenSchedule> chooseSchedule(const Config &config, const cpu::TargetInfo &target,
                                        const CompileOptions &options) {
  const ScheduleProblem problem = scheduleProblem(config);
  if (!options.schedule)
    return options.stored ? options.stored->choose(config, target)
                          : ChosenSchedule{defaultSchedule(problem, target.traits), ""};
  std::string wrong = checkSchedule(*options.schedule, problem, target.traits);
  if (!wrong.empty())
    return createStringError("schedule: %s", wrong.c_str());
  return ChosenSchedule{*options.schedule, ""};
}

namespace {
/// One object, lowered phase by phase, each phase for all targets.
class Compilation {
public:
  Compilation(CompiledModule &result, ArrayRef<mha::Array> parameters,
              const CompileOptions &options)
      : options(options), parameters(parameters), dump(options.dumpDirectory), result(result) {}

  Error run() {
    start(result);
    for (const CompiledVariant &fallback : result.fallbacks)
      start(fallback);
    for (const PhaseInfo &info : kPhases) {
      if (Error error = runPhase(info.phase))
        return error;
      if (info.phase == options.lastPhase)
        break;
    }
    for (const auto &lowering : lowerings)
      for (const auto &entry : lowering->kernelSet())
        result.kernels.push_back(entry.first);
    if (options.isProfiled)
      result.timed = cpu::timedKernels(lowerings.front()->kernelSet(), result.target.kernels);
    return Error::success();
  }

private:
  void start(const CompiledVariant &variant) {
    Reproducer reproducer(result.config, variant.schedule, variant.target);
    lowerings.push_back(std::make_unique<TargetLowering>(result.config, variant));
  }

  Error runPhase(Phase phase) {
    if (phase <= Phase::LlvmDialect)
      return runPasses(phase);
    // From here on there is one module for all targets.
    Reproducer reproducer(result.config, result.schedule, result.target);
    reproducer.enter(phase);
    if (phase == Phase::Llvm)
      return buildLlvm();
    return emit(phase);
  }

  Error runPasses(Phase phase) {
    int64_t packed = 0;
    for (const auto &lowering : lowerings) {
      Reproducer reproducer(result.config, lowering->variant.schedule, lowering->variant.target);
      reproducer.enter(phase);
      if (phase == Phase::Tiles && packed > 0)
        lowering->startAppendedAt(packed);
      if (Error error = lowering->runPasses(phase))
        return error;
      packed = std::max(packed, lowering->packedFloats());
      if (phase == options.lastPhase)
        result.text = lowering->text();
      if (dump) {
        const bool isOnly = lowerings.size() == 1;
        if (Error error =
                dump.write(phase, lowering->text(), isOnly ? "" : lowering->variant.target.name))
          return error;
      }
    }
    if (phase != Phase::Tiles)
      return Error::success();
    result.packedBytes = packed > 0 ? ATTUNE_ALIGNMENT + packed * int64_t(sizeof(float)) : 0;
    return bake(packed);
  }

  /// The packed block that all targets read.
  Error bake(int64_t floats) {
    if (!result.isBaked)
      return Error::success();
    block.resize(floats);
    for (const auto &lowering : lowerings)
      if (Error error = lowering->packInto(parameters, block))
        return error;
    return Error::success();
  }

  Error buildLlvm() {
    std::vector<std::unique_ptr<Module>> modules;
    for (const auto &lowering : lowerings) {
      const int position = static_cast<int>(modules.size());
      auto built = lowering->buildLlvm(
          {lowering->variant.hash, lowering->variant.target.requiredFeatures, result.packedBytes,
           result.isBaked, position, position + 1 < static_cast<int>(lowerings.size())},
          options.isProfiled, options.kernels, llvmContext);
      if (!built)
        return built.takeError();
      modules.push_back(std::move(*built));
    }
    auto linked = linkVariants(std::move(modules));
    if (!linked)
      return linked.takeError();
    llvmModule = std::move(*linked);
    if (result.isBaked)
      bakeParameters(*llvmModule, result.config, block);
    if (options.lastPhase != Phase::Llvm && !dump)
      return Error::success();
    result.text.clear();
    raw_string_ostream stream(result.text);
    llvmModule->print(stream, nullptr);
    return dump ? dump.write(Phase::Llvm, result.text) : Error::success();
  }

  Error emit(Phase phase) {
    const bool isAssembly = phase == Phase::Assembly;
    if (isAssembly && options.lastPhase != phase && !dump)
      return Error::success(); // nobody asked for the text
    auto kind = isAssembly ? cpu::MachineCodeKind::Assembly : cpu::MachineCodeKind::Object;
    // Functions of several targets say themselves what they need; the rest must run anywhere.
    const cpu::TargetInfo target =
        lowerings.size() == 1 ? result.target : cpu::baselineOf(result.target);
    // Code generation changes the module, and an object may follow the assembly.
    auto code = cpu::emitMachineCode(*llvmModule, target, kind);
    if (!code)
      return code.takeError();
    StringRef bytes(code->data(), code->size());
    if (dump)
      if (Error error = dump.write(phase, bytes))
        return error;
    if (isAssembly)
      result.text = bytes.str();
    else
      result.object = std::move(*code);
    return Error::success();
  }

  const CompileOptions &options;
  ArrayRef<mha::Array> parameters;
  const PhaseDump dump;
  CompiledModule &result;
  std::vector<std::unique_ptr<TargetLowering>> lowerings;
  std::vector<float> block; ///< packed parameters, if they are baked
  LLVMContext llvmContext;
  std::unique_ptr<Module> llvmModule;
};

/// Targets in the order in which an object tries them: most CPU features first.
Expected<std::vector<cpu::TargetInfo>> ordered(ArrayRef<cpu::TargetInfo> targets) {
  std::vector<cpu::TargetInfo> result(targets);
  for (const auto &[position, target] : enumerate(targets)) {
    if (Triple(target.triple).getArch() != Triple(targets.front().triple).getArch())
      return createStringError("targets %s and %s: found two architectures, expected one for an "
                               "object",
                               targets.front().name.c_str(), target.name.c_str());
    for (const cpu::TargetInfo &other : targets.drop_front(position + 1))
      if (other.name == target.name)
        return createStringError("target %s: found twice, expected once", other.name.c_str());
  }
  std::vector<size_t> positions(result.size());
  std::iota(positions.begin(), positions.end(), 0);
  auto rank = [&](size_t k) { return std::pair(-popcount(targets[k].requiredFeatures), k); };
  sort(positions, [&](size_t a, size_t b) { return rank(a) < rank(b); });
  for (auto [target, position] : zip(result, positions))
    target = targets[position];
  return result;
}

/// Schedules and hashes of all targets, with one layout of packed weights.
Error chooseVariants(CompiledModule &result, ArrayRef<cpu::TargetInfo> targets,
                     const CompileOptions &options) {
  std::vector<CompiledVariant> variants;
  int widest = 0, weightPanel = 1;
  for (const cpu::TargetInfo &target : targets) {
    Expected<ChosenSchedule> chosen = chooseSchedule(result.config, target, options);
    if (!chosen)
      return chosen.takeError();
    widest = std::max(widest, chosen->schedule.weightPanel);
    variants.push_back({target, std::move(chosen->schedule)});
  }
  for (CompiledVariant &variant : variants) {
    fitWeightPanel(variant.schedule, widest, variant.target.traits);
    const int columns = variant.schedule.projectionColumns(variant.target.traits);
    // One target may have a panel of several blocks.
    weightPanel = std::lcm(weightPanel, variants.size() == 1 ? widest : columns);
  }
  for (CompiledVariant &variant : variants) {
    variant.schedule.weightPanel = weightPanel;
    std::string wrong =
        checkSchedule(variant.schedule, scheduleProblem(result.config), variant.target.traits);
    if (!wrong.empty() && options.stored) {
      // Stored schedules need not go together; those of the default function do.
      CompileOptions withoutStored = options;
      withoutStored.stored = nullptr;
      return chooseVariants(result, targets, withoutStored);
    }
    if (!wrong.empty())
      return createStringError("schedule of target %s among several: %s",
                               variant.target.name.c_str(), wrong.c_str());
    variant.hash = contentHash(result.config, variant.schedule, variant.target);
  }
  static_cast<CompiledVariant &>(result) = std::move(variants.front());
  result.fallbacks.assign(std::make_move_iterator(variants.begin() + 1),
                          std::make_move_iterator(variants.end()));
  return Error::success();
}

std::string keyOf(const CompiledModule &module, ArrayRef<mha::Array> parameters) {
  std::string description = describeCompilation(module.config, module.schedule, module.target);
  for (const CompiledVariant &fallback : module.fallbacks)
    description += describeCompilation(module.config, fallback.schedule, fallback.target);
  return cacheKey(description + describeParameters(parameters), compilerVersions(), runningBuild());
}
} // namespace

Expected<CompiledModule> compile(const Config &config, ArrayRef<cpu::TargetInfo> targets,
                                 const CompileOptions &options) {
  if (targets.empty())
    return createStringError("no target given, expected at least one");
  if (targets.size() > 1 && options.isProfiled)
    return createStringError("found %zu targets, expected one for a profile", targets.size());
  if (targets.size() > 1 && options.lastPhase <= Phase::LlvmDialect)
    return createStringError("phase %s is that of one target; found %zu targets",
                             phaseInfo(options.lastPhase).name.data(), targets.size());
  Expected<std::vector<cpu::TargetInfo>> order = ordered(targets);
  if (!order)
    return order.takeError();
  if (multipliesPairs(config))
    cpu::multiplyPairs(*order);
  std::vector<mha::Array> parameters;
  CompiledModule result;
  result.config = config;
  result.isBaked = !options.parameters.empty();
  if (result.isBaked) {
    Expected<std::vector<mha::Array>> read = readParameters(config, options.parameters);
    if (!read)
      return read.takeError();
    parameters = std::move(*read);
  }
  if (Error error = chooseVariants(result, *order, options))
    return std::move(error);
  const bool usesCache = options.cache && options.lastPhase == Phase::Object &&
                         options.dumpDirectory.empty() && !options.isProfiled;
  std::string key;
  if (usesCache) {
    key = keyOf(result, parameters);
    if (std::optional<ObjectCode> found = options.cache->load(key)) {
      static_cast<ObjectCode &>(result) = std::move(*found);
      return result;
    }
  }
  if (Error error = Compilation(result, parameters, options).run())
    return std::move(error);
  if (usesCache)
    options.cache->store(key, result);
  return result;
}

} // namespace attune
