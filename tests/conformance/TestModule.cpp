//===- TestModule.cpp - A configuration compiled into this process --------===//
#include "TestModule.h"

#include "package/Elements.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace attune::conformance {

namespace {
template <typename T> T valueOf(llvm::Expected<T> expected) {
  if (expected)
    return std::move(*expected);
  throw std::runtime_error(llvm::toString(expected.takeError()));
}

/// A NAME_arguments or NAME_parameters struct: the fixed part, then the tensors.
template <typename Fixed>
std::vector<unsigned char> callStruct(Fixed fixed, const std::vector<PlacedTensor> &tensors) {
  std::vector<unsigned char> bytes(sizeof(Fixed) + tensors.size() * sizeof(attune_tensor));
  fixed.struct_size = bytes.size();
  std::memcpy(bytes.data(), &fixed, sizeof(Fixed));
  for (size_t k = 0; k < tensors.size(); ++k)
    std::memcpy(bytes.data() + sizeof(Fixed) + k * sizeof(attune_tensor), &tensors[k].view(),
                sizeof(attune_tensor));
  return bytes;
}

/// Strides of dimensions of size 1 are never used, so they may be anything.
void spoilUnusedStrides(std::vector<int64_t> &strides, const std::vector<int64_t> &sizes,
                        Random &random) {
  const int64_t values[] = {0, 1, -1, 7, INT64_MAX, INT64_MIN};
  for (size_t d = 0; d < sizes.size(); ++d)
    if (sizes[d] == 1 && chance(random, 50))
      strides[d] = values[pick(random, 0, std::size(values) - 1)];
}

/// Rows evenly spaced with a gap, as modules need them.
std::vector<int64_t> evenRowStrides(const std::vector<int64_t> &sizes, Random &random) {
  std::vector<int64_t> strides(sizes.size(), 1);
  int64_t stride = sizes.back() + pick(random, 0, 9);
  for (size_t d = sizes.size() - 1; d-- > 0; stride *= sizes[d])
    strides[d] = stride;
  return strides;
}

/// Outer dimensions in any order, with gaps.
std::vector<int64_t> permutedStrides(const std::vector<int64_t> &sizes, Random &random) {
  std::vector<size_t> order(sizes.size() - 1);
  std::iota(order.begin(), order.end(), 0);
  for (size_t k = order.size(); k > 1; --k)
    std::swap(order[k - 1], order[pick(random, 0, k - 1)]);
  std::vector<int64_t> strides(sizes.size(), 1);
  int64_t stride = sizes.back();
  for (size_t d : order) {
    stride += chance(random, 50) ? pick(random, 0, 9) : 0;
    strides[d] = stride;
    stride *= std::max<int64_t>(sizes[d], 1);
  }
  return strides;
}

/// Must all dimensions but the last collapse into one? Those of masks and weights need not.
bool needsEvenRows(const Config &config, const HostTensor &tensor) {
  const bool isActivation =
      tensor.name != "attn_mask" && tensor.name != "key_padding_mask" && tensor.name != "weights";
  return config.op == Op::MultiheadAttention && isActivation;
}

std::vector<int64_t> stridesFor(const HostTensor &tensor, bool evenRows, bool isOutput,
                                Random &random) {
  if (tensor.sizes.size() < 2)
    return denseStrides(tensor.sizes);
  std::vector<int64_t> strides =
      evenRows ? evenRowStrides(tensor.sizes, random) : permutedStrides(tensor.sizes, random);
  // Repetition: the same memory for all indices of a dimension; overlapping rows.
  if (!evenRows && !isOutput && chance(random, 30))
    strides[pick(random, 0, strides.size() - 2)] = pick(random, 0, 1);
  spoilUnusedStrides(strides, tensor.sizes, random);
  return strides;
}

/// Exactly the bytes asked for, at the end of the page if the alignment allows it.
Memory alignedBlock(size_t bytes, unsigned char fill) {
  const bool fits = bytes % ATTUNE_ALIGNMENT == 0;
  return Memory(bytes, ATTUNE_ALIGNMENT, fits ? Placement::AtEnd : Placement::Surrounded, fill);
}
} // namespace

std::string CallStyle::describe() const {
  static constexpr const char *names[] = {"surrounded", "at a page's end", "at a page's start"};
  return std::string(names[static_cast<int>(placement)]) + (strided ? ", strided" : "") +
         (stridedOutput ? ", strided output" : "");
}

Config configOf(const std::string &json) { return valueOf(parseConfig(json, "case")); }
cpu::TargetInfo targetOf(const std::string &name) { return valueOf(cpu::resolveTarget(name)); }

bool canRun(const cpu::TargetInfo &target) {
  return (target.requiredFeatures & ~attune_cpu_features()) == 0;
}

TestModule::TestModule(const std::string &configJson, const std::string &target,
                       std::optional<CpuSchedule> schedule)
    : TestModule(configOf(configJson), targetOf(target), std::move(schedule)) {}

TestModule::TestModule(const Config &config, const cpu::TargetInfo &target,
                       std::optional<CpuSchedule> schedule) {
  CompileOptions options;
  options.schedule = std::move(schedule);
  compiled = valueOf(compile(config, target, options));
  loaded = valueOf(LoadedModule::load(compiled.object, config.name));
}

DenseParameters::DenseParameters(const Problem &problem) {
  for (const HostTensor &parameter : problem.parameters) {
    auto &bytes =
        storage.emplace_back(parameter.values.size() * attune_dtype_size(parameter.dtype));
    for (size_t k = 0; k < parameter.values.size(); ++k)
      writeElement(bytes.data(), parameter.dtype, k, parameter.values[k]);
    tensors.push_back(attune_dense_tensor(bytes.data(), parameter.dtype, parameter.sizes.size(),
                                          parameter.sizes.data()));
  }
}

TestModule::TestModule(const Config &config, const std::vector<cpu::TargetInfo> &targets,
                       Problem *baked) {
  CompileOptions options;
  std::optional<DenseParameters> parameters;
  if (baked)
    options.parameters = parameters.emplace(*baked).views();
  compiled = valueOf(compile(config, targets, options));
  loaded = valueOf(LoadedModule::load(compiled.object, config.name));
}

Memory TestModule::pack(attune_context *context, const Problem &problem) const {
  if (module().parameter_count == 0)
    return Memory();
  std::vector<PlacedTensor> tensors;
  for (const HostTensor &parameter : problem.parameters) {
    tensors.emplace_back(parameter, denseStrides(parameter.sizes), Placement::AtEnd, inputFill);
    tensors.back().freeze();
  }
  std::vector<unsigned char> call = callStruct(attune_parameters{}, tensors);
  Memory packed = alignedBlock(module().packed_size, inputFill);
  attune::check(attune_pack(context, &module(), call.data(), packed.data(), packed.size()));
  packed.freeze();
  return packed;
}

PlacedCall TestModule::place(attune_context *context, Problem &problem, const Memory &packed,
                             const CallStyle &style, Random &random) const {
  PlacedCall placed;
  for (HostTensor &input : problem.inputs) {
    std::vector<int64_t> strides =
        style.strided ? stridesFor(input, needsEvenRows(config(), input), false, random)
                      : denseStrides(input.sizes);
    placed.tensors.emplace_back(input, strides, style.placement, inputFill);
    input.values = placed.tensors.back().read();
    placed.tensors.back().freeze();
  }
  for (const HostTensor &output : problem.outputs()) {
    std::vector<int64_t> strides =
        style.stridedOutput ? stridesFor(output, needsEvenRows(config(), output), true, random)
                            : denseStrides(output.sizes);
    placed.tensors.emplace_back(output, strides, style.placement, outputFill);
  }
  const CallSizes &sizes = problem.sizes;
  placed.workspace = alignedBlock(
      attune_workspace_size(context, &module(), sizes.batch, sizes.target, sizes.source),
      inputFill);
  attune_call fixed{};
  fixed.packed = packed.data();
  fixed.packed_size = packed.size();
  fixed.workspace = placed.workspace.data();
  fixed.workspace_size = placed.workspace.size();
  placed.call = callStruct(fixed, placed.tensors);
  return placed;
}

Results<float> TestModule::read(const PlacedCall &call) const {
  const size_t first = interfaceInputs(config()).size();
  Results<float> results;
  results.out = call.tensors[first].read();
  if (config().forward.needWeights)
    results.weights = call.tensors[first + 1].read();
  return results;
}

Outcome TestModule::forward(attune_context *context, PlacedCall &call) const {
  Outcome outcome;
  outcome.status = attune_forward(context, &module(), call.call.data());
  if (outcome.status != ATTUNE_OK) {
    outcome.text = attune_last_error();
    return outcome;
  }
  static_cast<Results<float> &>(outcome) = read(call);
  const size_t first = interfaceInputs(config()).size();
  for (size_t k = first; k < call.tensors.size() && outcome.damage.empty(); ++k)
    if (std::string damage = call.tensors[k].damage(); !damage.empty())
      outcome.damage = (k == first ? "out: " : "weights: ") + damage;
  if (outcome.damage.empty())
    if (std::string damage = call.workspace.damage(std::vector<bool>(call.workspace.size(), true));
        !damage.empty())
      outcome.damage = "workspace: " + damage;
  return outcome;
}

Outcome TestModule::run(attune_context *context, Problem &problem, const CallStyle &style,
                        Random &random) const {
  const Memory packed = pack(context, problem);
  PlacedCall call = place(context, problem, packed, style, random);
  return forward(context, call);
}

Outcome TestModule::run(attune_context *context, const Problem &problem) const {
  Problem copy = problem;
  Random random;
  return run(context, copy, CallStyle{}, random);
}

std::string TestModule::describe() const {
  auto oneLine = [](std::string text) {
    text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
    return text;
  };
  return "config " + oneLine(toJson(config())) + "\ntarget " + compiled.target.name +
         "\nschedule " + oneLine(toJson(compiled.schedule));
}

} // namespace attune::conformance
