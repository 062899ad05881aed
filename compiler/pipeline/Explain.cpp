//===- Explain.cpp - What the compiler decides for a configuration --------===//
#include "pipeline/Explain.h"

#include "dialect/KeepBounds.h"
#include "dialect/ScheduleAttribute.h"
#include "frontend/BuildGraph.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "package/InterfaceText.h"
#include "package/Metadata.h"
#include "pipeline/ExplainKernels.h"
#include "pipeline/Pipeline.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using mlir::Value;
using mlir::func::FuncOp;

namespace attune {

namespace {
/// "query", "attn_mask" ... for an argument of the graph; what else can be projected is the heads.
std::string nameOf(FuncOp forward, Value value) {
  if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value))
    for (const char *kind : {"mha.input", "mha.parameter"})
      if (auto name = forward.getArgAttrOfType<mlir::StringAttr>(argument.getArgNumber(), kind))
        return name.str();
  return "the merged heads";
}

/// Which operands of attention are views of a projection: "query, key, value".
std::string operandsOf(mha::ProjectOp project, mha::AttendOp attend) {
  std::vector<std::string> names;
  const std::pair<Value, const char *> operands[] = {
      {attend.getQuery(), "query"}, {attend.getKey(), "key"}, {attend.getValue(), "value"}};
  for (auto [operand, name] : operands)
    if (auto split = operand.getDefiningOp<mha::SplitHeadsOp>();
        split && split.getX() == project.getResult())
      names.push_back(name);
  return join(names, ", ");
}

std::vector<ExplainedItem> explainProjections(FuncOp forward, mha::AttendOp attend) {
  std::vector<ExplainedItem> items;
  forward.walk([&](mha::ProjectOp project) {
    std::string operands = operandsOf(project, attend);
    const auto parts = 1 + std::count(operands.begin(), operands.end(), ',');
    items.push_back(
        {operands.empty() ? "out" : operands,
         formatv("{0} columns from {1}{2}", project.getColumns(), nameOf(forward, project.getX()),
                 parts > 1 ? formatv(", {0} projections of one input fused into one "
                                     "product",
                                     parts)
                                 .str()
                           : "")});
  });
  return items;
}

/// Why a conjunct of keep lets tiles be passed over.
ExplainedItem explainConjunct(FuncOp forward, KeepConjunct conjunct) {
  if (conjunct.bound) {
    const UpperBound &bound = *conjunct.bound;
    const char *factors[] = {"-i", "0", "i"};
    std::string offset = bound.offset != 0 ? formatv(" + {0}", bound.offset).str() : "";
    return {
        std::string("j <= ") + factors[bound.queryFactor + 1] + offset,
        "a bound of the kv loops: tiles beyond it are never visited, tiles wholly before it run "
        "without the condition"};
  }
  if (!conjunct.mask)
    return {"a condition", "runs on every tile"};
  std::string name = nameOf(forward, conjunct.mask.getSource());
  if (conjunct.isPadding())
    return {name,
            std::string("the first visible key and the end of each batch element bound packing "
                        "and kv loops; values of hidden keys are packed as zeros") +
                (conjunct.isBoolMask() ? "; tiles without a hidden key run without the mask" : "")};
  return {name,
          "looked at tile by tile: a hidden tile is passed over, one that is visible throughout "
          "runs without the mask"};
}

std::vector<ExplainedItem> explainKeys(FuncOp forward, mha::AttendOp attend) {
  std::vector<ExplainedItem> items;
  for (const KeepConjunct &conjunct : keepConjuncts(attend.getKeep()))
    items.push_back(explainConjunct(forward, conjunct));
  if (!attend.getScore().empty())
    items.push_back({"score region", "runs on every visited tile, inside the score kernel"});
  if (int64_t count = attend.getAppendedCount())
    items.push_back(
        {"appended keys",
         formatv("{0}, one more step behind the kv loops, seen by every query", count)});
  if (attend.getWeights())
    items.push_back({"weights",
                     "asked for: the softmax is taken over whole rows in a scratch of one "
                     "query tile by all keys, and masks run on every tile before the end"});
  if (items.empty())
    items.push_back(
        {"all keys", "every query sees every key; only the last tile looks where they end"});
  return items;
}

std::vector<ExplainedItem> explainSchedule(const ChosenSchedule &chosen, const CpuTraits &traits) {
  const CpuSchedule &schedule = chosen.schedule;
  auto block = [](const RegisterBlock &block) {
    return formatv("{0} rows x {1} vectors", block.rows, block.vectors).str();
  };
  std::string workers = formatv("take {0} tile(s) at a time; whole heads ", schedule.grain);
  workers +=
      schedule.headsPerWorker == 0
          ? "always"
          : formatv("where there are {0} or more for each further worker", schedule.headsPerWorker)
                .str();
  const CpuSchedule::Provenance &from = schedule.provenance;
  std::string source = from.source == "default"
                           ? "the default function of problem and CPU"
                           : from.source + (from.measured.empty() ? "" : ": " + from.measured) +
                                 (from.machine.empty() ? "" : ", " + from.machine) +
                                 (from.date.empty() ? "" : ", " + from.date);
  std::vector<ExplainedItem> items = {{"from", source}};
  if (!chosen.why.empty())
    items.push_back({"because", chosen.why});
  const ExplainedItem rest[] = {
      {"tiles", formatv("{0} queries x {1} keys", schedule.queryTile, schedule.kvTile)},
      {"scores",
       formatv("{0}; keys in panels of {1}", block(schedule.scores), schedule.keyPanel(traits))},
      {"values", formatv("{0}; {1}", block(schedule.values),
                         schedule.packValue == PackValue::PerHead ? "packed once a head"
                                                                  : "read where they lie")},
      {"few rows", schedule.fewRows == 0
                       ? std::string("read packed keys like many")
                       : formatv("up to {0} queries read keys and values once, where they lie, "
                                 "in splits of {1} keys",
                                 schedule.fewRows, schedule.splitKeys)
                             .str()},
      {"projections",
       formatv("{0}; {1} rows, depth {2}, weights in panels of {3}", block(schedule.projection),
               schedule.projectionRows, schedule.projectionDepth, schedule.weightPanel)},
      {"workers", workers}};
  items.insert(items.end(), std::begin(rest), std::end(rest));
  return items;
}

/// How many kv tiles the query tiles of one head visit, by the bounds of keep alone.
ExplainedItem explainTiles(mha::AttendOp attend, const CpuSchedule &schedule,
                           const CallSizes &sizes) {
  int64_t visited = 0, full = 0;
  const auto conjuncts = keepConjuncts(attend.getKeep());
  for (int64_t first = 0; first < sizes.target; first += schedule.queryTile) {
    const int64_t last = std::min(first + schedule.queryTile, sizes.target) - 1;
    int64_t some = sizes.source, every = sizes.source;
    for (const KeepConjunct &conjunct : conjuncts)
      if (conjunct.bound) {
        const int64_t a = conjunct.bound->queryFactor * first + conjunct.bound->offset + 1;
        const int64_t b = conjunct.bound->queryFactor * last + conjunct.bound->offset + 1;
        some = std::min(some, std::max(a, b));
        every = std::min(every, std::min(a, b));
      }
    visited += llvm::divideCeilSigned(std::max<int64_t>(some, 0), schedule.kvTile);
    full += std::max<int64_t>(every, 0) / schedule.kvTile;
  }
  const int64_t all = llvm::divideCeilSigned(sizes.target, schedule.queryTile) *
                      llvm::divideCeilSigned(sizes.source, schedule.kvTile);
  return {"tiles of a head", formatv("{0}, of which {1} are visited by the bounds known before the "
                                     "call, {2} of them without looking at a bound",
                                     all, visited, full)};
}

/// The value of workspace_size(N, L, S, workers), folded operation by operation.
std::optional<int64_t> evaluateWorkspace(FuncOp function, const ExplainedCall &call) {
  mlir::Builder builder(function.getContext());
  DenseMap<Value, mlir::Attribute> known;
  const int64_t arguments[] = {call.sizes.batch, call.sizes.target, call.sizes.source,
                               call.workers};
  for (auto [argument, value] : zip(function.getArguments(), arguments))
    known[argument] = builder.getIndexAttr(value);
  for (mlir::Operation &op : function.front().without_terminator()) {
    SmallVector<mlir::Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(known.lookup(operand));
    SmallVector<mlir::OpFoldResult> results;
    if (failed(op.fold(operands, results)) || results.size() != 1)
      return std::nullopt;
    auto value = mlir::dyn_cast<Value>(results[0]);
    known[op.getResult(0)] = value ? known.lookup(value) : mlir::cast<mlir::Attribute>(results[0]);
  }
  auto size = mlir::dyn_cast_or_null<mlir::IntegerAttr>(
      known.lookup(function.front().getTerminator()->getOperand(0)));
  return size ? std::optional(size.getInt()) : std::nullopt;
}

int64_t bytesOf(const std::vector<InterfaceTensor> &tensors, const CallSizes &sizes) {
  int64_t total = 0;
  for (const InterfaceTensor &tensor : tensors) {
    int64_t bytes = attune_dtype_size(interfaceDtype(tensor));
    for (int64_t size : shapeOf(tensor, sizes))
      bytes *= size;
    total += bytes;
  }
  return total;
}

std::vector<ExplainedItem> explainWork(const Config &config, mlir::ModuleOp module,
                                       const ExplainedCall &call) {
  const CallSizes &sizes = call.sizes;
  auto count = [](int64_t bytes) { return formatv("{0} bytes", bytes).str(); };
  auto workspace = module.lookupSymbol<FuncOp>("workspace_size");
  std::optional<int64_t> needed = workspace ? evaluateWorkspace(workspace, call) : std::nullopt;
  return {
      {"sizes", formatv("N {0}, L {1}, S {2}", sizes.batch, sizes.target, sizes.source)},
      {"FLOPs", formatv("{0:f0}", forwardFlops(config, sizes.batch, sizes.target, sizes.source))},
      {"inputs", count(bytesOf(interfaceInputs(config), sizes))},
      {"outputs", count(bytesOf(interfaceOutputs(config), sizes))},
      {"parameters", count(bytesOf(interfaceParameters(config), sizes))},
      {"workspace", needed ? formatv("{0} bytes with {1} worker(s)", *needed, call.workers).str()
                           : "not known before the call"}};
}

std::vector<ExplainedItem> explainTensors(const Config &config) {
  std::vector<ExplainedItem> items;
  const std::pair<const char *, std::vector<InterfaceTensor>> lists[] = {
      {"input", interfaceInputs(config)},
      {"output", interfaceOutputs(config)},
      {"parameter", interfaceParameters(config)}};
  for (const auto &[kind, tensors] : lists)
    for (const InterfaceTensor &tensor : tensors)
      items.push_back({std::string(kind) + " " + tensor.name,
                       shapeText(tensor) + " " + join(dtypeNames(tensor), " or ")});
  return items;
}
} // namespace

Expected<std::vector<ExplainedSection>> explain(const Config &config, const cpu::TargetInfo &named,
                                                const CompileOptions &options,
                                                const std::optional<ExplainedCall> &call) {
  const cpu::TargetInfo target = targetFor(config, named);
  Expected<ChosenSchedule> chosen = chooseSchedule(config, target, options);
  if (!chosen)
    return chosen.takeError();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  loadDialects(context);
  auto module = buildGraph(config, context);
  mha::setSchedule(*module, chosen->schedule, target.traits);
  (*module)->setAttr("mha.target", mlir::StringAttr::get(&context, target.name));
  cpu::KernelSet kernels;
  if (Error error = runPhase(*module, Phase::Graph, kernels))
    return error;
  auto forward = module->lookupSymbol<FuncOp>("forward");
  mha::AttendOp attend;
  forward.walk([&](mha::AttendOp op) { attend = op; });

  std::vector<ExplainedSection> sections = {{"tensors", explainTensors(config)}};
  std::string cpu = formatv("{0}, {1} float32 lanes, {2} vector registers, L1 {3} KiB, L2 {4} KiB",
                            target.cpu, target.traits.vectorLanes, target.traits.vectorRegisters,
                            target.traits.l1Bytes / 1024, target.traits.l2Bytes / 1024);
  sections.push_back({"target", {{target.name, cpu}}});
  sections.push_back({"schedule", explainSchedule(*chosen, target.traits)});
  if (auto projections = explainProjections(forward, attend); !projections.empty())
    sections.push_back({"projections", std::move(projections)});
  sections.push_back({"keys", explainKeys(forward, attend)});
  if (call)
    sections.back().items.push_back(explainTiles(attend, chosen->schedule, call->sizes));
  for (Phase phase : {Phase::Tiles, Phase::Kernels})
    if (Error error = runPhase(*module, phase, kernels))
      return error;
  sections.push_back({"kernels", explainKernels(kernels)});
  if (call)
    sections.push_back({"call", explainWork(config, *module, *call)});
  return sections;
}

} // namespace attune
