//===- InterpretPhase.cpp - Runs the IR of a phase ------------------------===//
#include "pipeline/InterpretPhase.h"

#include "dialect/InterpreterScalar.h"
#include "dialect/ScheduleAttribute.h"
#include "frontend/BuildGraph.h"
#include "pipeline/Compiler.h"
#include "pipeline/Pipeline.h"
#include <limits>

using namespace llvm;
using mlir::func::FuncOp;

namespace attune {

namespace {
/// The module of a configuration, lowered to a phase.
Error lower(mlir::ModuleOp module, Phase last) {
  cpu::KernelSet kernels;
  for (const PhaseInfo &info : kPhases) {
    if (Error error = runPhase(module, info.phase, kernels))
      return error;
    if (info.phase == last)
      break;
  }
  return Error::success();
}

/// Tensors that are multiplied, as a naive implementation that rounds has them; masks stay.
InterpreterCall rounded(const Config &config, const InterpreterCall &call, mha::Rounding rounding) {
  InterpreterCall result = call;
  auto round = [&](ArrayRef<InterfaceTensor> specs, std::vector<mha::Array> &arrays) {
    for (auto [spec, array] : zip(specs, arrays))
      if (!StringRef(spec.name).ends_with("_mask")) {
        array = array.dense();
        for (double &value : *array.storage)
          value = mha::interpreter::roundedTo(rounding, value);
      }
  };
  round(interfaceInputs(config), result.inputs);
  round(interfaceParameters(config), result.parameters);
  return result;
}

/// `pack` and `forward` of tile IR: (parameters, packed) and (inputs, packed, outputs, N, L, S).
/// What they have to write holds NaN before.
Expected<std::vector<mha::Array>> runTiles(mlir::ModuleOp module, const Config &config,
                                           const InterpreterCall &call,
                                           const mha::InterpreterOptions &options) {
  const double unwritten = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::variant<mha::Array, int64_t>> arguments(call.inputs.begin(), call.inputs.end());
  if (auto pack = module.lookupSymbol<FuncOp>("pack")) {
    auto type = mlir::cast<mlir::MemRefType>(pack.getArgumentTypes().back());
    mha::Array packed = mha::Array::filled(type.getShape(), unwritten);
    std::vector<std::variant<mha::Array, int64_t>> parameters(call.parameters.begin(),
                                                              call.parameters.end());
    parameters.push_back(packed);
    if (Error error = mha::interpretTiles(pack, parameters, options))
      return error;
    arguments.push_back(packed);
  }
  std::vector<mha::Array> outputs;
  for (const InterfaceTensor &output : interfaceOutputs(config))
    outputs.push_back(mha::Array::filled(shapeOf(output, call.sizes), unwritten));
  append_range(arguments, outputs);
  for (int64_t size : {call.sizes.batch, call.sizes.target, call.sizes.source})
    arguments.push_back(size);
  if (Error error = mha::interpretTiles(module.lookupSymbol<FuncOp>("forward"), arguments, options))
    return error;
  return outputs;
}
} // namespace

Expected<std::vector<mha::Array>>
interpretPhase(const Config &config, const cpu::TargetInfo &target, const CpuSchedule &schedule,
               Phase phase, const InterpreterCall &given, const mha::InterpreterOptions &options) {
  if (phase > Phase::Tiles)
    return createStringError("phase %s has no interpreter", phaseInfo(phase).name.data());
  const InterpreterCall call =
      options.rounding == mha::Rounding::None ? given : rounded(config, given, options.rounding);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  loadDialects(context);
  auto module = buildGraph(config, context);
  mha::setSchedule(*module, schedule, targetFor(config, target).traits);
  if (Error error = lower(*module, phase))
    return error;
  if (phase == Phase::Tiles)
    return runTiles(*module, config, call, options);
  std::vector<mha::Array> arguments = call.inputs;
  arguments.insert(arguments.end(), call.parameters.begin(), call.parameters.end());
  return mha::interpretGraph(module->lookupSymbol<FuncOp>("forward"), arguments, options);
}

} // namespace attune
