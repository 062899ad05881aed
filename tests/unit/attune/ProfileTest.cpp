//===- ProfileTest.cpp - What a profile counts ----------------------------===//
#include "Profile.h"

#include "CallTensors.h"
#include "Common.h"
#include "package/Metadata.h"
#include <chrono>
#include <gmock/gmock.h>
#include <random>

namespace attune::tool {
namespace {

using testing::ElementsAre;

/// A configuration, compiled with and without clocks, both run once on the same inputs.
class ProfiledRun {
public:
  ProfiledRun(const std::string &json, const CallSizes &sizes, int threads = 1)
      : config(require(parseConfig(json, "test"))), plain(compiled(false)), timed(compiled(true)),
        sizes(sizes), threads(threads), profiler(timed, threads) {
    parameters = allocate(interfaceParameters(config));
    inputs = allocate(interfaceInputs(config));
    expected = run(plain, {});
    actual = run(timed, Profiler::symbols());
    for (const PhaseProfile &phase : profiler.phases(nanoseconds)) {
      names.push_back(phase.name);
      phases[phase.name] = phase;
    }
  }

  const Config config;
  const CompiledModule plain, timed;
  const CallSizes sizes;
  const int threads;
  std::vector<std::string> names;
  std::map<std::string, PhaseProfile> phases;
  std::vector<attune_tensor> expected, actual;
  int64_t nanoseconds = 0;

private:
  template <typename T> static T require(llvm::Expected<T> value) {
    if (!value)
      throw std::runtime_error(llvm::toString(value.takeError()));
    return std::move(*value);
  }
  static void require(llvm::Error error) {
    if (error)
      throw std::runtime_error(llvm::toString(std::move(error)));
  }

  CompiledModule compiled(bool isProfiled) {
    CompileOptions options;
    options.isProfiled = isProfiled;
    return require(compile(config, require(cpu::resolveTarget("host")), options));
  }

  /// Random content; a mask hides the last key.
  std::vector<attune_tensor> allocate(const std::vector<InterfaceTensor> &specs) {
    std::vector<attune_tensor> tensors;
    for (const InterfaceTensor &spec : specs) {
      attune_tensor tensor = memory.allocate(spec, sizes);
      const size_t count = elementCount(tensor);
      std::uniform_real_distribution<float> uniform(-1, 1);
      if (tensor.dtype == ATTUNE_FLOAT32)
        std::generate_n(static_cast<float *>(tensor.data), count,
                        [&] { return uniform(generator); });
      else
        std::generate_n(static_cast<uint8_t *>(tensor.data), count,
                        [k = int64_t(0), this]() mutable { return ++k % sizes.source == 0; });
      tensors.push_back(tensor);
    }
    return tensors;
  }

  std::vector<attune_tensor> run(const CompiledModule &module,
                                 llvm::ArrayRef<LoadedModule::Symbol> symbols) {
    auto session = require(Session::create(module.object, module.config.name, threads, symbols));
    std::vector<attune_tensor> outputs = allocate(interfaceOutputs(config)), tensors = inputs;
    llvm::append_range(tensors, outputs);
    require(session->pack(parameters));
    require(session->prepare(sizes));
    profiler.reset();
    const auto start = std::chrono::steady_clock::now();
    require(session->forward(tensors));
    nanoseconds = std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
    return outputs;
  }

  Profiler profiler;
  TensorMemory memory;
  std::mt19937 generator{7};
  std::vector<attune_tensor> parameters, inputs;
};

void expectSameResults(const ProfiledRun &run) {
  for (auto [expected, actual] : llvm::zip_equal(run.expected, run.actual))
    EXPECT_EQ(std::memcmp(expected.data, actual.data, byteCount(expected)), 0);
}

/// Times are those of all workers: none is negative, and together they are the time of the call.
void expectWholeTime(const ProfiledRun &run) {
  int64_t sum = 0;
  for (const auto &[name, phase] : run.phases) {
    EXPECT_GE(phase.nanoseconds, 0) << name;
    sum += phase.nanoseconds;
  }
  EXPECT_EQ(sum, run.nanoseconds * run.threads);
}

constexpr const char *kCore = R"({"op": "attention", "module": {"num_heads": 3, "head_dim": 16}})";

TEST(Profile, CountsTheProductsOfAttention) {
  const int64_t n = 2, h = 3, l = 101, s = 203, d = 16;
  ProfiledRun run(kCore, {n, l, s});
  EXPECT_THAT(run.names,
              ElementsAre("packing", "scores", "softmax", "values", "finish", "other", "waiting"));
  expectSameResults(run);
  expectWholeTime(run);

  const CpuSchedule &schedule = run.timed.schedule;
  const int64_t lanes = run.timed.target.traits.vectorLanes;
  const int64_t panel = schedule.keyPanel(run.timed.target.traits);
  const int64_t valueWidth = llvm::alignTo(d, schedule.values.vectors * lanes);
  int64_t queryTiles = 0, scoreRows = 0, valueRows = 0, kvTiles = 0, keys = 0;
  for (int64_t row = 0; row < l; row += schedule.queryTile, ++queryTiles) {
    const int64_t count = std::min<int64_t>(schedule.queryTile, l - row);
    scoreRows += llvm::alignTo(count, schedule.scores.rows);
    valueRows += llvm::alignTo(count, schedule.values.rows);
  }
  for (int64_t key = 0; key < s; key += schedule.kvTile, ++kvTiles)
    keys += llvm::alignTo(std::min<int64_t>(schedule.kvTile, s - key), panel);
  EXPECT_EQ(run.phases["scores"].flops, 2 * n * h * scoreRows * keys * d);
  EXPECT_EQ(run.phases["scores"].calls, n * h * queryTiles * kvTiles);
  EXPECT_EQ(run.phases["scores"].bytes, 4 * n * h * d * (l * kvTiles + queryTiles * keys));
  EXPECT_EQ(run.phases["softmax"].flops, n * h * scoreRows * keys * (2 * schedule.exp2Degree + 9));
  EXPECT_EQ(run.phases["softmax"].bytes, 0);
  EXPECT_EQ(run.phases["values"].flops, 2 * n * h * valueRows * s * valueWidth);
  EXPECT_EQ(run.phases["values"].bytes, 4 * n * h * queryTiles * s * valueWidth);
  const int64_t copied = schedule.packValue == PackValue::PerHead ? s * (d + valueWidth) : 0;
  EXPECT_EQ(run.phases["packing"].bytes,
            4 * n * h * (s * d + llvm::divideCeil(s, panel) * panel * d + copied));
  EXPECT_EQ(run.phases["finish"].bytes, 4 * n * h * l * d);
}

TEST(Profile, CountsVisitedTilesAlone) {
  const CallSizes sizes{1, 400, 400};
  ProfiledRun full(kCore, sizes);
  ProfiledRun causal(R"({"op": "attention", "module": {"num_heads": 3, "head_dim": 16},
      "forward": {"is_causal": true}})",
                     sizes);
  expectSameResults(causal);
  EXPECT_LT(causal.phases["scores"].calls, full.phases["scores"].calls);
  EXPECT_LT(causal.phases["scores"].flops, full.phases["scores"].flops);
  EXPECT_GE(static_cast<double>(causal.phases["scores"].flops + causal.phases["values"].flops),
            forwardFlops(causal.config, 1, 400, 400));
}

TEST(Profile, TellsProjectionsOfInputsFromThatOfTheOutput) {
  const int64_t rows = 2 * 96, width = 192; // whole register blocks and panels
  ProfiledRun run(R"({"module": {"embed_dim": 192, "num_heads": 4, "batch_first": true},
      "forward": {"inputs": "self", "need_weights": false}})",
                  {2, 96, 96});
  // No packing: projections store keys and values as attention reads them.
  EXPECT_THAT(run.names, ElementsAre("projection", "scores", "softmax", "values", "finish",
                                     "output", "other", "waiting"));
  expectSameResults(run);
  expectWholeTime(run);
  EXPECT_EQ(run.phases["projection"].flops, 2 * rows * width * 3 * width);
  EXPECT_EQ(run.phases["output"].flops, 2 * rows * width * width);
}

TEST(Profile, CoversWeightsMasksAndThreads) {
  ProfiledRun run(R"json({"module": {"embed_dim": 64, "num_heads": 4, "batch_first": true},
      "forward": {"inputs": "self", "attn_mask": "float_2d", "key_padding_mask": "bool"},
      "score": "s + 0.01 * (j - i)"})json",
                  {2, 75, 75}, 2);
  EXPECT_THAT(run.names, ElementsAre("projection", "packing", "masks", "scores", "softmax",
                                     "values", "finish", "output", "other", "waiting"));
  expectSameResults(run);
  expectWholeTime(run);
  EXPECT_GT(run.phases["softmax"].bytes, 0); // of whole rows in memory
}

TEST(Profile, IsRefusedForSeveralTargets) {
  CompileOptions options;
  options.isProfiled = true;
  auto config = parseConfig(kCore, "test");
  ASSERT_TRUE(static_cast<bool>(config));
  std::vector<cpu::TargetInfo> targets;
  for (const char *name : {"x86-64-v3", "x86-64-v4"})
    targets.push_back(llvm::cantFail(cpu::resolveTarget(name)));
  EXPECT_EQ(llvm::toString(compile(*config, targets, options).takeError()),
            "found 2 targets, expected one for a profile");
}

} // namespace
} // namespace attune::tool
