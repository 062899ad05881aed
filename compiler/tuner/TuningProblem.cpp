//===- TuningProblem.cpp - A call to find a schedule for ------------------===//
#include "tuner/TuningProblem.h"

#include "package/Metadata.h"
#include "pipeline/Compiler.h"
#include "pipeline/InterpretPhase.h"
#include "pipeline/Reference.h"
#include "tuner/ByteStream.h"
#include "tuner/ChildProcess.h"

using namespace llvm;

namespace attune {

namespace {
constexpr double kCheckedFlops = 1e9;
constexpr double kReferenceSeconds = 1800;

/// Halves a size that a configuration leaves open.
bool halve(int64_t &size, bool isOpen) {
  if (!isOpen || size <= 8)
    return false;
  size = size / 2 - (size % 2 == 0 ? 1 : 0);
  return true;
}
} // namespace

CallShape TuningProblem::shape() const {
  CallShape shape;
  shape.batch = std::max<int64_t>(sizes.batch, 1);
  shape.heads = config.module.numHeads;
  shape.target = std::max<int64_t>(sizes.target, 1);
  shape.source = std::max<int64_t>(sizes.source, 1);
  shape.isCausal = config.forward.isCausal;
  shape.threads = threads;
  return shape;
}

double TuningProblem::flops() const {
  return forwardFlops(config, sizes.batch, sizes.target, sizes.source);
}

CallSizes checkedSizes(const TuningProblem &problem) {
  const auto &forward = problem.config.forward;
  const bool isSelf = forward.inputs == Inputs::Self;
  CallSizes sizes = problem.sizes;
  auto isSmall = [&] {
    return forwardFlops(problem.config, sizes.batch, sizes.target, sizes.source) <= kCheckedFlops;
  };
  if (!isSmall() && !forward.batch)
    sizes.batch = std::min<int64_t>(sizes.batch, 2);
  while (!isSmall()) {
    const bool isTargetLonger = sizes.target >= sizes.source;
    bool isHalved = halve(isTargetLonger || isSelf ? sizes.target : sizes.source,
                          isTargetLonger || isSelf ? !forward.targetLength : !forward.sourceLength);
    if (!isHalved && !isSelf)
      isHalved = halve(isTargetLonger ? sizes.source : sizes.target,
                       isTargetLonger ? !forward.sourceLength : !forward.targetLength);
    if (!isHalved)
      break;
    if (isSelf)
      sizes.source = sizes.target;
  }
  return sizes;
}

TuningCall::TuningCall(const Config &config, const CallSizes &sizes) : sizes(sizes) {
  parameters.add(interfaceParameters(config), sizes, 0.05f);
  inputs.add(interfaceInputs(config), sizes, 1.0f);
}

static Expected<std::vector<ReferenceOutput>> interpret(const TuningProblem &problem,
                                                        const TuningCall &call) {
  InterpreterCall interpreted;
  for (const attune_tensor &tensor : call.inputs.tensors)
    interpreted.inputs.push_back(toArray(tensor));
  for (const attune_tensor &tensor : call.parameters.tensors)
    interpreted.parameters.push_back(toArray(tensor));
  interpreted.sizes = call.sizes;
  const CpuSchedule schedule =
      defaultSchedule(scheduleProblem(problem.config), problem.target.traits);
  auto run = [&](mha::Rounding rounding) {
    return interpretPhase(problem.config, problem.target, schedule, Phase::Module, interpreted,
                          {rounding});
  };
  auto exact = run(mha::Rounding::None);
  if (!exact)
    return exact.takeError();
  auto naive = run(naiveRounding(problem.config));
  if (!naive)
    return naive.takeError();
  std::vector<ReferenceOutput> outputs;
  for (auto [a, b] : zip(*exact, *naive)) {
    ReferenceOutput output{*a.dense().storage, 0};
    output.allowed =
        ErrorBound(output.exact, *b.dense().storage, naiveRounding(problem.config)).allowed;
    outputs.push_back(std::move(output));
  }
  return outputs;
}

Expected<std::vector<ReferenceOutput>> computeReference(const TuningProblem &problem,
                                                        const TuningCall &call,
                                                        const std::function<bool()> &stop) {
  auto work = [&] {
    ByteWriter writer;
    auto outputs = interpret(problem, call);
    writer.add(outputs ? std::string() : toString(outputs.takeError()));
    if (outputs) {
      writer.add(outputs->size());
      for (const ReferenceOutput &output : *outputs) {
        writer.add(output.exact);
        writer.add(output.allowed);
      }
    }
    return writer.bytes;
  };
  const ChildResult child = runInChild(work, kReferenceSeconds, stop);
  if (child.end == ChildResult::End::Stopped)
    return createStringError("stopped");
  if (child.end != ChildResult::End::Finished)
    return createStringError("the reference: %s", child.detail.c_str());
  ByteReader reader(child.bytes);
  if (std::string error = reader.readText(); !error.empty())
    return createStringError("the reference: %s", error.c_str());
  std::vector<ReferenceOutput> outputs(reader.read<size_t>());
  for (ReferenceOutput &output : outputs) {
    output.exact = reader.readVector<double>();
    output.allowed = reader.read<double>();
  }
  return outputs;
}

} // namespace attune
