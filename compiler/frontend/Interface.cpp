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

/// `size` times `factor`, plus `addend`.
SymbolicSize scaled(SymbolicSize size, int64_t factor, int64_t addend) {
  if (size.symbol == SizeSymbol::Fixed)
    return fixed(size.factor * factor + addend);
  return {size.symbol, size.factor * factor, size.addend * factor + addend};
}

bool isBool(AttnMask mask) { return mask == AttnMask::Bool2d || mask == AttnMask::Bool3d; }

/// (L, S), or (N * H, L, S) and unbatched (H, L, S).
InterfaceTensor attnMask(const Config &config) {
  const AttnMask kind = config.forward.attnMask;
  std::vector<SymbolicSize> sizes = {target(config), source(config)};
  if (kind == AttnMask::Bool3d || kind == AttnMask::Float3d) {
    const int64_t heads = config.module.numHeads;
    sizes.insert(sizes.begin(),
                 config.forward.batched ? scaled(batch(config), heads, 0) : fixed(heads));
  }
  return {"attn_mask", isBool(kind) ? InterfaceType::Mask : InterfaceType::Float, sizes};
}

/// (N, S), unbatched (S).
InterfaceTensor keyPaddingMask(const Config &config) {
  std::vector<SymbolicSize> sizes = {source(config)};
  if (config.forward.batched)
    sizes.insert(sizes.begin(), batch(config));
  return {"key_padding_mask",
          config.forward.keyPaddingMask == KeyPaddingMask::Bool ? InterfaceType::Mask
                                                                : InterfaceType::Float,
          sizes};
}

/// (N, L, S + appended columns), per head (N, H, L, S + appended columns), unbatched without N.
InterfaceTensor attentionWeights(const Config &config) {
  std::vector<SymbolicSize> sizes;
  if (config.forward.batched)
    sizes.push_back(batch(config));
  if (!config.forward.averageAttnWeights)
    sizes.push_back(fixed(config.module.numHeads));
  sizes.push_back(target(config));
  sizes.push_back(scaled(source(config), 1, appendedColumns(config)));
  return {"weights", InterfaceType::Float, sizes};
}
} // namespace

int64_t CallSizes::value(const SymbolicSize &size) const {
  const int64_t symbols[] = {1, batch, target, source};
  return size.factor * symbols[static_cast<int>(size.symbol)] + size.addend;
}

std::vector<int64_t> shapeOf(const InterfaceTensor &tensor, const CallSizes &sizes) {
  std::vector<int64_t> shape;
  for (const SymbolicSize &size : tensor.sizes)
    shape.push_back(sizes.value(size));
  return shape;
}

bool hasPackedProjection(const Config &config) {
  const ModuleConfig &module = config.module;
  return module.kdim.value_or(module.embedDim) == module.embedDim &&
         module.vdim.value_or(module.embedDim) == module.embedDim;
}

int64_t appendedColumns(const Config &config) {
  return int64_t(config.module.addBiasKv) + int64_t(config.module.addZeroAttn);
}

/// Floating-point tensors have the configuration's dtype.
static std::vector<InterfaceTensor> withDtype(std::vector<InterfaceTensor> tensors,
                                              const Config &config) {
  for (InterfaceTensor &tensor : tensors)
    tensor.dtype = config.dtype;
  return tensors;
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
  if (forward.attnMask != AttnMask::None)
    inputs.push_back(attnMask(config));
  if (forward.keyPaddingMask != KeyPaddingMask::None)
    inputs.push_back(keyPaddingMask(config));
  return withDtype(std::move(inputs), config);
}

std::vector<InterfaceTensor> interfaceOutputs(const Config &config) {
  std::vector<InterfaceTensor> outputs = {
      {"out", InterfaceType::Float,
       activationSizes(config, target(config), config.module.embedDim)}};
  if (config.forward.needWeights)
    outputs.push_back(attentionWeights(config));
  return withDtype(std::move(outputs), config);
}

std::vector<InterfaceTensor> interfaceParameters(const Config &config) {
  if (config.op == Op::Attention)
    return {};
  const ModuleConfig &module = config.module;
  const int64_t embedDim = module.embedDim;
  std::vector<InterfaceTensor> parameters;
  auto parameter = [&](const char *name, std::vector<SymbolicSize> sizes) {
    parameters.push_back({name, InterfaceType::Float, std::move(sizes)});
  };
  if (hasPackedProjection(config)) {
    parameter("in_proj_weight", {fixed(3 * embedDim), fixed(embedDim)});
  } else {
    parameter("q_proj_weight", {fixed(embedDim), fixed(embedDim)});
    parameter("k_proj_weight", {fixed(embedDim), fixed(module.kdim.value_or(embedDim))});
    parameter("v_proj_weight", {fixed(embedDim), fixed(module.vdim.value_or(embedDim))});
  }
  if (module.bias)
    parameter("in_proj_bias", {fixed(3 * embedDim)});
  if (module.addBiasKv) {
    parameter("bias_k", {fixed(1), fixed(1), fixed(embedDim)});
    parameter("bias_v", {fixed(1), fixed(1), fixed(embedDim)});
  }
  parameter("out_proj.weight", {fixed(embedDim), fixed(embedDim)});
  if (module.bias)
    parameter("out_proj.bias", {fixed(embedDim)});
  return withDtype(std::move(parameters), config);
}

} // namespace attune
