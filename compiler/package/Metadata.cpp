//===- Metadata.cpp - NAME.json, the description of an object -------------===//
#include "package/Metadata.h"

#include "attune/attune.h"
#include "package/InterfaceText.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace attune {

double forwardFlops(const Config &config, int64_t batch, int64_t target, int64_t source) {
  const ModuleConfig &module = config.module;
  const double n = batch, l = target, s = source;
  const double width = static_cast<double>(module.numHeads) * static_cast<double>(module.headDim);
  const double visible = s * (config.forward.isCausal ? 0.5 : 1.0);
  double flops = 4.0 * n * l * width * (visible + static_cast<double>(appendedColumns(config)));
  if (config.op == Op::MultiheadAttention) {
    const double keys = static_cast<double>(module.kdim.value_or(module.embedDim));
    const double values = static_cast<double>(module.vdim.value_or(module.embedDim));
    flops += 2.0 * n * width * (2.0 * l * width + s * keys + s * values);
  }
  return flops;
}

/// [{"name": "query", "dtypes": ["float32"], "shape": "(L, N, 64)"}, ...]
static json::Array describe(const std::vector<InterfaceTensor> &tensors) {
  json::Array list;
  for (const InterfaceTensor &tensor : tensors)
    list.push_back(json::Object{{"name", tensor.name},
                                {"dtypes", json::Array(dtypeNames(tensor))},
                                {"shape", shapeText(tensor)}});
  return list;
}

/// The text of toJson functions as a value; they are valid by construction.
static json::Value parsed(const std::string &text) {
  Expected<json::Value> value = json::parse(text);
  if (value)
    return std::move(*value);
  consumeError(value.takeError());
  return nullptr;
}

static json::Object describe(const CompiledVariant &variant) {
  const cpu::TargetInfo &target = variant.target;
  return json::Object{{"hash", formatv("{0:x-16}", variant.hash).str()},
                      {"target", json::Object{{"name", target.name},
                                              {"triple", target.triple},
                                              {"cpu", target.cpu},
                                              {"vector_lanes", target.traits.vectorLanes},
                                              {"required_cpu_features", target.requiredFeatures}}},
                      {"schedule", parsed(toJson(variant.schedule))}};
}

std::string generateMetadata(const Config &config, ArrayRef<CompiledVariant> variants,
                             const ObjectCode &code, bool isBaked) {
  json::Object root = describe(variants.front());
  json::Array fallbacks;
  for (const CompiledVariant &variant : variants.drop_front())
    fallbacks.push_back(describe(variant));
  root["fallbacks"] = std::move(fallbacks);
  root["attune_abi"] = ATTUNE_ABI_VERSION;
  root["config"] = parsed(toJson(config));
  root["inputs"] = describe(interfaceInputs(config));
  root["outputs"] = describe(interfaceOutputs(config));
  root["parameters"] = describe(interfaceParameters(config));
  root["parameters_baked"] = isBaked;
  root["packed_bytes"] = code.packedBytes;
  root["workspace"] =
      json::Object{{"unit", "bytes"}, {"computed_by", config.name + "_workspace_size"}};
  root["flops_n1_l1_s1"] = forwardFlops(config, 1, 1, 1);
  root["kernels"] = json::Array(code.kernels);
  return formatv("{0:2}\n", json::Value(std::move(root)));
}

} // namespace attune
