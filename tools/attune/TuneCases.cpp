//===- TuneCases.cpp - What attune tune works on --------------------------===//
#include "TuneCases.h"

#include "CallTensors.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace attune::tool {

namespace {
/// A case of tools/bench/comparing/cases.py.
struct SuiteCase {
  const char *name;
  int64_t batch, heads, target, source, headDim;
  bool isCausal = false;
  int64_t embedDim = 0; ///< 0: the core alone
};

constexpr SuiteCase kSuite[] = {
    {"core_d64", 1, 12, 1024, 1024, 64},
    {"core_d64_causal", 1, 12, 1024, 1024, 64, true},
    {"core_d128", 1, 16, 2048, 2048, 128},
    {"core_d128_causal", 1, 16, 2048, 2048, 128, true},
    {"core_d256", 1, 10, 512, 512, 256},
    {"core_small", 8, 12, 128, 128, 64},
    {"core_odd", 2, 7, 333, 517, 80},
    {"decode", 1, 32, 1, 4096, 128},
    {"mha_128_768", 1, 12, 128, 128, 64, false, 768},
    {"mha_512_768", 1, 12, 512, 512, 64, false, 768},
    {"mha_128_2560", 1, 10, 128, 128, 256, false, 2560},
    {"mha_1024_1024", 1, 16, 1024, 1024, 64, false, 1024},
    {"mha_b8_128_1024", 8, 16, 128, 128, 64, false, 1024},
};

std::string configOf(const SuiteCase &one) {
  if (one.embedDim > 0)
    return formatv(
               R"({{"name": "{0}", "module": {{"embed_dim": {1}, "num_heads": {2}, )"
               R"("batch_first": true}, "forward": {{"inputs": "self", "need_weights": false}})",
               one.name, one.embedDim, one.heads)
        .str();
  return formatv(R"({{"name": "{0}", "op": "attention", "module": {{"num_heads": {1}, )"
                 R"("head_dim": {2}}, "forward": {{"is_causal": {3}}})",
                 one.name, one.heads, one.headDim, one.isCausal ? "true" : "false")
      .str();
}

Expected<TuningProblem> problemOf(Config config, const cpu::TargetInfo &target,
                                  const TuneArguments &arguments) {
  KnownSizes known(config);
  known.batch = known.batch ? known.batch : arguments.batch;
  known.target = known.target ? known.target : arguments.targetLength;
  known.source = known.source ? known.source : arguments.sourceLength;
  if (!known.target)
    return createStringError("%s: forward.target_length is open: give --target-length",
                             config.name.c_str());
  const CallSizes sizes = known.complete();
  if (sizes.batch < 1 || sizes.target < 1 || sizes.source < 1)
    return createStringError(
        "%s: a call without work cannot be tuned; expected sizes of at least 1",
        config.name.c_str());
  const cpu::TargetInfo used = targetFor(config, target);
  return TuningProblem{std::move(config), used, sizes, arguments.threads};
}
} // namespace

Expected<std::vector<TuningProblem>> tuneCases(const TuneArguments &arguments) {
  if (arguments.isSuite != arguments.configs.empty())
    return createStringError("tune: expected either CONFIG or --suite");
  Expected<cpu::TargetInfo> target = cpu::resolveTarget(arguments.target);
  if (!target)
    return target.takeError();
  std::vector<TuningProblem> problems;
  auto add = [&](Expected<Config> config, const TuneArguments &sizes) -> Error {
    if (!config)
      return config.takeError();
    Expected<TuningProblem> problem = problemOf(std::move(*config), *target, sizes);
    if (!problem)
      return problem.takeError();
    problems.push_back(std::move(*problem));
    return Error::success();
  };
  for (const std::string &path : arguments.configs)
    if (Error error = add(loadConfig(path, arguments.overrides), arguments))
      return std::move(error);
  for (const SuiteCase &one : kSuite) {
    if (!arguments.isSuite)
      break;
    TuneArguments sizes = arguments;
    sizes.batch = one.batch;
    sizes.targetLength = one.target;
    sizes.sourceLength = one.source;
    if (Error error = add(parseConfig(configOf(one), one.name, arguments.overrides), sizes))
      return std::move(error);
  }
  return problems;
}

} // namespace attune::tool
