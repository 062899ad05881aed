//===- Compiler.cpp - From a configuration to code ------------------------===//
#include "pipeline/Compiler.h"

#include "attune/attune.h"
#include "codegen/cpu/LlvmModule.h"
#include "codegen/cpu/MachineCode.h"
#include "dialect/ScheduleAttribute.h"
#include "frontend/BuildGraph.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "package/CompileKey.h"
#include "package/Descriptor.h"
#include "pipeline/Pipeline.h"
#include "pipeline/Reproducer.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune {

ScheduleProblem scheduleProblem(const Config &config) {
  const bool projections = config.op == Op::MultiheadAttention;
  return {projections, projections ? config.module.embedDim : 0, config.module.headDim};
}

Expected<CpuSchedule> chooseSchedule(const Config &config, const cpu::TargetInfo &target,
                                     const CompileOptions &options) {
  ScheduleProblem problem = scheduleProblem(config);
  CpuSchedule schedule = options.schedule.value_or(defaultSchedule(problem, target.traits));
  std::string wrong = checkSchedule(schedule, problem, target.traits);
  if (!wrong.empty())
    return createStringError("schedule: %s", wrong.c_str());
  return schedule;
}

namespace {
class Compilation {
public:
  Compilation(CompiledModule &result, const CompileOptions &options)
      : options(options), result(result) {}

  Error run() {
    loadDialects(context);
    module = buildGraph(result.config, context);
    mha::setSchedule(*module, result.schedule, result.target.traits);
    (*module)->setAttr("mha.target", mlir::StringAttr::get(&context, result.target.name));
    Reproducer reproducer(result.config, result.schedule, result.target);
    for (const PhaseInfo &info : kPhases) {
      reproducer.enter(info.phase);
      if (Error error = runPhase(info.phase))
        return error;
      if (info.phase == options.lastPhase)
        break;
    }
    for (const auto &entry : kernels)
      result.kernels.push_back(entry.first);
    return Error::success();
  }

private:
  Error runPhase(Phase phase) {
    if (phase <= Phase::LlvmDialect) {
      if (Error error = runPasses(phase))
        return error;
    } else if (phase == Phase::Llvm) {
      if (Error error = buildLlvm())
        return error;
    } else if (Error error = emit(phase)) {
      return error;
    }
    return dump(phase);
  }

  Error runPasses(Phase phase) {
    if (Error error = attune::runPhase(*module, phase, kernels))
      return error;
    if (phase == Phase::Tiles)
      measurePacked();
    return Error::success();
  }

  /// The packed block is one static memref argument of the tile functions.
  void measurePacked() {
    auto pack = module->lookupSymbol<mlir::func::FuncOp>("pack");
    if (!pack)
      return;
    auto type = mlir::cast<mlir::MemRefType>(pack.getArgumentTypes().back());
    result.packedBytes = ATTUNE_ALIGNMENT + type.getNumElements() * sizeof(float);
  }

  Error buildLlvm() {
    Expected<std::vector<cpu::Kernel>> generated =
        cpu::generateKernels(kernels, result.target.kernels);
    if (!generated)
      return generated.takeError();
    auto built = cpu::buildLlvmModule(*module, *generated, result.target, llvmContext);
    if (!built)
      return built.takeError();
    llvmModule = std::move(*built);
    llvmModule->setModuleIdentifier(result.config.name);
    auto exported =
        addDescriptor(*llvmModule, result.config,
                      {result.hash, result.target.requiredFeatures, result.packedBytes});
    return cpu::optimize(*llvmModule, result.target, exported);
  }

  Error emit(Phase phase) {
    const bool isAssembly = phase == Phase::Assembly;
    if (isAssembly && options.lastPhase != phase && options.dumpDirectory.empty())
      return Error::success(); // nobody asked for the text
    auto kind = isAssembly ? cpu::MachineCodeKind::Assembly : cpu::MachineCodeKind::Object;
    // Code generation changes the module, and an object may follow the assembly.
    auto code = cpu::emitMachineCode(*llvmModule, result.target, kind);
    if (!code)
      return code.takeError();
    if (isAssembly)
      result.text.assign(code->begin(), code->end());
    else
      result.object = std::move(*code);
    return Error::success();
  }

  Error dump(Phase phase) {
    const bool wanted = phase == options.lastPhase || !options.dumpDirectory.empty();
    if (wanted && phase <= Phase::Llvm) {
      result.text.clear();
      raw_string_ostream stream(result.text);
      if (phase == Phase::Llvm)
        llvmModule->print(stream, nullptr);
      else
        module->print(stream);
    }
    if (options.dumpDirectory.empty())
      return Error::success();
    if (std::error_code code = sys::fs::create_directories(options.dumpDirectory))
      return createStringError(code, "cannot create %s", options.dumpDirectory.c_str());
    const PhaseInfo &info = phaseInfo(phase);
    SmallString<128> path(options.dumpDirectory);
    sys::path::append(path,
                      Twine(static_cast<int>(phase)) + "-" + info.name + "." + info.extension);
    std::error_code code;
    raw_fd_ostream file(path, code);
    if (code)
      return createStringError(code, "cannot write %s", path.c_str());
    if (phase == Phase::Object)
      file.write(result.object.data(), result.object.size());
    else
      file << result.text;
    return Error::success();
  }

  const CompileOptions &options;
  CompiledModule &result;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
  cpu::KernelSet kernels;
  LLVMContext llvmContext;
  std::unique_ptr<Module> llvmModule;
};
} // namespace

Expected<CompiledModule> compile(const Config &config, const cpu::TargetInfo &target,
                                 const CompileOptions &options) {
  Expected<CpuSchedule> schedule = chooseSchedule(config, target, options);
  if (!schedule)
    return schedule.takeError();
  CompiledModule result;
  result.config = config;
  result.target = target;
  result.schedule = std::move(*schedule);
  result.hash = contentHash(config, result.schedule, target);
  const bool usesCache =
      options.cache && options.lastPhase == Phase::Object && options.dumpDirectory.empty();
  std::string key;
  if (usesCache) {
    key = cacheKey(describeCompilation(config, result.schedule, target), compilerVersions(),
                   runningBuild());
    if (std::optional<ObjectCode> found = options.cache->load(key)) {
      static_cast<ObjectCode &>(result) = std::move(*found);
      return result;
    }
  }
  if (Error error = Compilation(result, options).run())
    return error;
  if (usesCache)
    options.cache->store(key, result);
  return result;
}

} // namespace attune
