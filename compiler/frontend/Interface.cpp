//===- Interface.cpp - The tensors that cross the interface ---------------===//
#include "frontend/Interface.h"

namespace attune {

namespace {
SymbolicSize fixed(int64_t size) { return {SizeSymbol::Fixed, size}; }

SymbolicSize symbolic(SizeSymbol symbol, std::optional<int64_t> value) {
  return value ? fixed(*value) : SymbolicSize{symbol, 1};
}

SymbolicSize batch(const Config &config) {
  return symbolic(SizeSymbol::Batch, config.forward.batch);
}

SymbolicSize target(const Config &config) {
  return symbolic(SizeSymbol::Target, config.forward.targetLength);
}

/// With inputs "self" the source is the target: there is one length.
SymbolicSize source(const Config &config) {
  if (config.forward.inputs == Inputs::Self)
    return target(config);
  return symbolic(SizeSymbol::Source, config.forward.sourceLength);
}

/// Sizes of a query-like or key-like tensor of `columns` columns in the configuration's order.
std::vector<SymbolicSize> activationSizes(const Config &config, SymbolicSize length,
                                          int64_t columns) {
  const bool batched = config.forward.batched;
  if (config.op == Op::Attention) {
    std::vector<SymbolicSize> sizes = {fixed(config.module.numHeads), length,
                                       fixed(config.module.headDim)};
    if (batched)
      sizes.insert(sizes.begin(), batch(config));
    return sizes;
  }
  if (!batched)
    return {length, fixed(columns)};
  if (config.module.batchFirst)
    return {batch(config), length, fixed(columns)};
  return {length, batch(config), fixed(columns)};
}
} // namespace

int64_t CallSizes::value(const SymbolicSize &size) const {
  const int64_t symbols[] = {1, batch, target, source};
  return size.factor * symbols[static_cast<int>(size.symbol)];
}

std::vector<int64_t> shapeOf(const InterfaceTensor &tensor, const CallSizes &sizes) {
  std::vector<int64_t> shape;
  for (const SymbolicSize &size : tensor.sizes)
    shape.push_back(sizes.value(size));
  return shape;
}

std::vector<InterfaceTensor> interfaceInputs(const Config &config) {
  const ModuleConfig &module = config.module;
  const ForwardConfig &forward = config.forward;
  std::vector<InterfaceTensor> inputs;
  auto activation = [&](const char *name, SymbolicSize length, int64_t columns) {
    inputs.push_back({name, InterfaceType::Float, activationSizes(config, length, columns)});
  };
  activation("query", target(config), module.embedDim);
  if (forward.inputs != Inputs::Self)
    activation("key", source(config), module.kdim.value_or(module.embedDim));
  if (forward.inputs == Inputs::Separate)
    activation("value", source(config), module.vdim.value_or(module.embedDim));
  if (forward.attnMask == AttnMask::Bool2d || forward.attnMask == AttnMask::Float2d)
    inputs.push_back(
        {"attn_mask",
         forward.attnMask == AttnMask::Bool2d ? InterfaceType::Mask : InterfaceType::Float,
         {target(config), source(config)}});
  return inputs;
}

std::vector<InterfaceTensor> interfaceOutputs(const Config &config) {
  return {{"out", InterfaceType::Float,
           activationSizes(config, target(config), config.module.embedDim)}};
}

std::vector<InterfaceTensor> interfaceParameters(const Config &config) {
  if (config.op == Op::Attention)
    return {};
  const int64_t embedDim = config.module.embedDim;
  std::vector<InterfaceTensor> parameters;
  auto parameter = [&](const char *name, std::vector<SymbolicSize> sizes) {
    parameters.push_back({name, InterfaceType::Float, std::move(sizes)});
  };
  parameter("in_proj_weight", {fixed(3 * embedDim), fixed(embedDim)});
  if (config.module.bias)
    parameter("in_proj_bias", {fixed(3 * embedDim)});
  parameter("out_proj.weight", {fixed(embedDim), fixed(embedDim)});
  if (config.module.bias)
    parameter("out_proj.bias", {fixed(embedDim)});
  return parameters;
}

} // namespace attune
