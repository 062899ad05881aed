//===- Metadata.cpp - NAME.json, the description of an object -------------===//
#include "package/Metadata.h"

#include "attune/attune.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace attune {

double forwardFlops(const Config &config, int64_t batch, int64_t target, int64_t source) {
  const double n = batch, l = target, s = source;
  const double width =
      static_cast<double>(config.module.numHeads) * static_cast<double>(config.module.headDim);
  double flops = 4.0 * n * l * s * width * (config.forward.isCausal ? 0.5 : 1.0);
  if (config.op == Op::MultiheadAttention)
    flops += 2.0 * n * width * width * (2.0 * l + 2.0 * s);
  return flops;
}

/// The text of toJson functions as a value; they are valid by construction.
static json::Value parsed(const std::string &text) {
  Expected<json::Value> value = json::parse(text);
  if (value)
    return std::move(*value);
  consumeError(value.takeError());
  return nullptr;
}

std::string generateMetadata(const Config &config, const cpu::TargetInfo &target,
                             const CpuSchedule &schedule, uint64_t hash, int64_t packedBytes,
                             ArrayRef<std::string> kernels) {
  json::Object workspace{{"unit", "bytes"}, {"computed_by", config.name + "_workspace_size"}};
  json::Object root{{"attune_abi", ATTUNE_ABI_VERSION},
                    {"config", parsed(toJson(config))},
                    {"hash", formatv("{0:x-16}", hash).str()},
                    {"target", json::Object{{"name", target.name},
                                            {"triple", target.triple},
                                            {"cpu", target.cpu},
                                            {"vector_lanes", target.traits.vectorLanes},
                                            {"required_cpu_features", target.requiredFeatures}}},
                    {"schedule", parsed(toJson(schedule))},
                    {"packed_bytes", packedBytes},
                    {"workspace", std::move(workspace)},
                    {"flops_n1_l1_s1", forwardFlops(config, 1, 1, 1)},
                    {"kernels", json::Array(kernels)}};
  return formatv("{0:2}\n", json::Value(std::move(root)));
}

} // namespace attune
