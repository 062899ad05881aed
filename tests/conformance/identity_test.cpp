//===- identity_test.cpp - The same bits, however the work is split -------===//
#include "RandomProblem.h"
#include "Schedules.h"

#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <thread>

using namespace attune;
using namespace attune::conformance;

namespace {
struct IdentityConfiguration {
  const char *name;
  const char *json;
  Tiles tiles;
  CallSizes sizes;
};

std::ostream &operator<<(std::ostream &stream, const IdentityConfiguration &configuration) {
  return stream << configuration.name;
}

const IdentityConfiguration configurations[] = {
    {"core",
     R"({"op":"attention","module":{"num_heads":3,"head_dim":40}})",
     Tiles::Default,
     {3, 129, 300}},
    {"core_causal_bool_small",
     R"({"op":"attention","module":{"num_heads":2,"head_dim":33},
       "forward":{"is_causal":true,"attn_mask":"bool_2d"}})",
     Tiles::Small,
     {4, 61, 131}},
    {"core_float_default",
     R"({"op":"attention","module":{"num_heads":2,"head_dim":64},
       "forward":{"attn_mask":"float_2d"}})",
     Tiles::Default,
     {3, 97, 257}},
    {"core_self_causal_minimal",
     R"({"op":"attention","module":{"num_heads":2,"head_dim":8},
       "forward":{"is_causal":true,"inputs":"self"}})",
     Tiles::Minimal,
     {3, 37, 37}},
    {"module",
     R"({"module":{"embed_dim":96,"num_heads":3,"batch_first":true},
       "forward":{"need_weights":false}})",
     Tiles::Default,
     {5, 70, 290}},
    {"module_batch_second_small",
     R"({"module":{"embed_dim":40,"num_heads":5},
       "forward":{"need_weights":false,"attn_mask":"float_2d"}})",
     Tiles::Small,
     {3, 25, 67}},
    {"module_self_causal_odd",
     R"({"module":{"embed_dim":64,"num_heads":2},
       "forward":{"need_weights":false,"inputs":"self","is_causal":true}})",
     Tiles::Odd,
     {4, 53, 53}},
    {"core_padding_weights_small",
     R"({"op":"attention","module":{"num_heads":3,"head_dim":24},
       "forward":{"key_padding_mask":"bool","need_weights":true}})",
     Tiles::Small,
     {3, 31, 150}},
    {"core_blocks_score_small",
     R"_({"op":"attention","score":"s - 4 * abs(i / L - j / S)",
       "module":{"num_heads":2,"head_dim":16},
       "forward":{"attn_mask":"bool_3d","key_padding_mask":"float"}})_",
     Tiles::Small,
     {3, 40, 170}},
    {"module_appended_weights_per_head",
     R"({"module":{"embed_dim":48,"num_heads":4,"add_bias_kv":true,"add_zero_attn":true},
       "forward":{"attn_mask":"float_3d","is_causal":true,"average_attn_weights":false}})",
     Tiles::Default,
     {3, 110, 140}},
    {"module_all_averaged_odd",
     R"({"module":{"embed_dim":40,"num_heads":5,"add_bias_kv":true,"kdim":12,"vdim":30,
                   "batch_first":true},
       "forward":{"attn_mask":"bool_2d","key_padding_mask":"bool"}})",
     Tiles::Odd,
     {4, 33, 97}},
    {"module_padding_appended_minimal",
     R"({"module":{"embed_dim":20,"num_heads":2,"add_zero_attn":true},
       "forward":{"key_padding_mask":"bool","need_weights":false}})",
     Tiles::Minimal,
     {5, 17, 43}},
    {"module_bool_nan_tall",
     R"({"fully_masked_rows":"nan",
       "module":{"embed_dim":48,"num_heads":2,"batch_first":true,"bias":false},
       "forward":{"need_weights":false,"attn_mask":"bool_2d","inputs":"shared_key_value"}})",
     Tiles::Tall,
     {3, 75, 90}},
    {"core_one_query_of_many_keys",
     R"({"op":"attention","module":{"num_heads":3,"head_dim":128}})",
     Tiles::Default,
     {2, 1, 2311}},
    {"core_one_query_fixed_padding",
     R"({"op":"attention","module":{"num_heads":2,"head_dim":33},
       "forward":{"target_length":1,"key_padding_mask":"bool"}})",
     Tiles::Small,
     {3, 1, 517}},
    {"core_few_queries_float_padding_score",
     R"_({"op":"attention","score":"s - 4 * abs(i / L - j / S)",
       "module":{"num_heads":2,"head_dim":80},
       "forward":{"attn_mask":"float_3d","key_padding_mask":"float"}})_",
     Tiles::Default,
     {3, 8, 1100}},
    {"module_few_queries_appended",
     R"({"module":{"embed_dim":48,"num_heads":4,"add_bias_kv":true,"add_zero_attn":true},
       "forward":{"attn_mask":"bool_2d","need_weights":false}})",
     Tiles::Default,
     {3, 5, 1060}},
};

/// One iteration at a time, last first, on worker 1.
void reverseLoop(void *, int64_t count, int64_t, attune_range_body body, void *closure) {
  for (int64_t k = count; k-- > 0;)
    body(closure, k, k + 1, 1);
}

/// Everything at once, whatever the grain.
void wholeLoop(void *, int64_t count, int64_t, attune_range_body body, void *closure) {
  body(closure, 0, count, 0);
}

/// Odd pieces, shared by three threads that start in the middle.
void threadedLoop(void *, int64_t count, int64_t, attune_range_body body, void *closure) {
  std::thread threads[3];
  for (int32_t worker = 0; worker < 3; ++worker)
    threads[worker] = std::thread([=] {
      for (int64_t piece = (count + 2) / 3; piece-- > 0;) {
        const int64_t at = piece * 3 + (worker + piece) % 3;
        if (at < count)
          body(closure, at, at + 1, 2 - worker);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

bool sameBits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

bool sameBits(const Results<float> &a, const Results<float> &b) {
  return sameBits(a.out, b.out) && sameBits(a.weights, b.weights);
}

/// Every configuration is compiled once.
const TestModule *moduleOf(const IdentityConfiguration &configuration) {
  static std::map<std::string, TestModule> modules;
  auto found = modules.find(configuration.name);
  if (found == modules.end()) {
    const Config config = configOf(configuration.json);
    const cpu::TargetInfo target = targetFor(config, targetOf("host"));
    const CpuSchedule schedule =
        scheduleOf(configuration.tiles, scheduleProblem(config), target.traits);
    found = modules.emplace(configuration.name, TestModule(config, target, schedule)).first;
  }
  return &found->second;
}

class Identity : public testing::TestWithParam<IdentityConfiguration> {
protected:
  void SetUp() override {
    const IdentityConfiguration &configuration = GetParam();
    module = moduleOf(configuration);
    const TileUnits units(module->result().schedule, module->result().target.traits);
    Random random(11);
    problem = normalProblem(module->config(), configuration.sizes, random, units.grid);
    expected = outputOf(attune::Context(1), problem);
  }

  Results<float> outputOf(const attune::Context &context, const Problem &of) {
    Outcome outcome = module->run(context, of);
    EXPECT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
    return std::move(outcome);
  }

  /// What a batch element got in the batch.
  Results<float> partOf(int64_t n) const {
    std::vector<HostTensor> outputs = problem.outputs();
    Results<float> part;
    outputs[0].values = expected.out;
    part.out = batchPart(problem, outputs[0], n);
    if (outputs.size() == 2) {
      outputs[1].values = expected.weights;
      part.weights = batchPart(problem, outputs[1], n);
    }
    return part;
  }

  const TestModule *module = nullptr;
  Problem problem;
  Results<float> expected;
};
} // namespace

TEST_P(Identity, OfAnyThreadCountAndRepetition) {
  for (int threads : {1, 2, 3, 5}) {
    const attune::Context context(threads);
    for (int repetition = 0; repetition < 5; ++repetition)
      EXPECT_TRUE(sameBits(outputOf(context, problem), expected))
          << threads << " threads, repetition " << repetition << "\n"
          << module->describe();
  }
}

TEST_P(Identity, OfTheApplicationsParallelLoop) {
  for (auto loop : {reverseLoop, wholeLoop, threadedLoop}) {
    const attune_context_options options{sizeof(options), 3, loop, nullptr};
    EXPECT_TRUE(sameBits(outputOf(attune::Context(options), problem), expected))
        << module->describe();
  }
}

TEST_P(Identity, OfABatchElementAloneAndInABatch) {
  const attune::Context context(2);
  for (int64_t n = 0; n < problem.sizes.batch; ++n)
    EXPECT_TRUE(sameBits(outputOf(context, batchElement(problem, n)), partOf(n)))
        << "batch element " << n << "\n"
        << module->describe();
}

TEST_P(Identity, OfAnyPlaceAndLayoutInMemory) {
  const attune::Context context(2);
  Random random(12);
  for (int placement = 0; placement < 3; ++placement)
    for (int repetition = 0; repetition < 3; ++repetition) {
      CallStyle style;
      style.placement = static_cast<Placement>(placement);
      style.stridedOutput = true;
      Problem copy = problem;
      const Outcome outcome = module->run(context, copy, style, random);
      ASSERT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
      EXPECT_TRUE(sameBits(outcome, expected)) << style.describe() << "\n" << module->describe();
    }
}

INSTANTIATE_TEST_SUITE_P(Configurations, Identity, testing::ValuesIn(configurations),
                         [](const auto &info) { return std::string(info.param.name); });
