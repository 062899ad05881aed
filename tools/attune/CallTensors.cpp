//===- CallTensors.cpp - The tensors of one call --------------------------===//
#include "CallTensors.h"

#include "Common.h"
#include "package/InterfaceText.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace attune::tool {

void InputFile::warnOfUnused(StringRef prefix, ArrayRef<StringLiteral> names,
                             ArrayRef<InterfaceTensor> used) const {
  for (StringRef name : names) {
    const bool isUsed =
        any_of(used, [&](const InterfaceTensor &spec) { return spec.name == name; });
    if (!isUsed && tensors.contains((prefix + name).str()))
      warn(formatv("{0}: tensor '{1}{2}' is not used: the configuration has no {2}", path, prefix,
                   name));
  }
}

std::vector<attune_tensor> InputFile::parameters(const std::string &prefix,
                                                 ArrayRef<InterfaceTensor> specs) const {
  std::vector<attune_tensor> result;
  for (const InterfaceTensor &spec : specs)
    result.push_back(tensors.get(prefix + spec.name));
  warnOfUnused(prefix, parameterNames(), specs);
  return result;
}

ArrayRef<StringLiteral> parameterNames() {
  static constexpr StringLiteral names[] = {"in_proj_weight", "q_proj_weight",   "k_proj_weight",
                                            "v_proj_weight",  "in_proj_bias",    "bias_k",
                                            "bias_v",         "out_proj.weight", "out_proj.bias"};
  return names;
}

KnownSizes::KnownSizes(const Config &config)
    : batch(config.forward.batch), target(config.forward.targetLength),
      source(config.forward.sourceLength), isSelf(config.forward.inputs == Inputs::Self) {}

Error KnownSizes::bind(const InterfaceTensor &spec, const attune_tensor &tensor,
                       const InputFile &file) {
  const ArrayRef<int64_t> shape(tensor.sizes, tensor.rank);
  std::optional<int64_t> ignored, *symbols[] = {&ignored, &batch, &target, &source};
  bool fits = shape.size() == spec.sizes.size();
  for (size_t k = 0; fits && k < shape.size(); ++k) {
    const SymbolicSize &size = spec.sizes[k];
    std::optional<int64_t> &symbol = *symbols[static_cast<int>(size.symbol)];
    if (size.symbol == SizeSymbol::Fixed || symbol)
      continue;
    const int64_t scaled = shape[k] - size.addend;
    fits = scaled >= 0 && scaled % size.factor == 0;
    symbol = scaled / size.factor;
  }
  if (fits)
    return Error::success();
  return createStringError("%s: tensor '%s' has shape %s, expected %s", file.path.c_str(),
                           spec.name.c_str(), shapeText(shape).c_str(), shapeText(spec).c_str());
}

CallSizes KnownSizes::complete() const {
  CallSizes sizes;
  sizes.batch = batch.value_or(1);
  sizes.target = target.value_or(1);
  sizes.source = isSelf ? sizes.target : source.value_or(sizes.target);
  return sizes;
}

} // namespace attune::tool
