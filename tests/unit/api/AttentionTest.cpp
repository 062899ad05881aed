//===- AttentionTest.cpp - The compiler as a library ----------------------===//
#include "attune/compiler.hpp"
#include "schedules/database/ScheduleDatabase.h"

#include <atomic>
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <thread>
#include <unistd.h>

namespace attune {
namespace {

using Kind = CompileError::Kind;

const char *const kCore = R"({"name": "core", "op": "attention",
  "module": {"num_heads": 2, "head_dim": 8}, "forward": {"need_weights": true,
  "average_attn_weights": false}})";

const char *const kModule = R"({"name": "layer", "module": {"embed_dim": 16, "num_heads": 2},
  "forward": {"inputs": "self", "need_weights": false}})";

std::vector<float> randomFloats(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float &value : values)
    value = uniform(generator);
  return values;
}

Kind kindOf(const std::string &configuration, const CompileSettings &settings, std::string &text) {
  try {
    (void)compile(configuration, settings);
  } catch (const CompileError &error) {
    text = error.what();
    return error.kind();
  }
  ADD_FAILURE() << "compiled " << configuration;
  return Kind::Internal;
}

TEST(Api, NamesTensors) {
  Attention layer = compile(kModule);
  EXPECT_EQ(layer.name(), "layer");
  EXPECT_EQ(layer.inputs(), std::vector<std::string>{"query"});
  EXPECT_EQ(layer.outputs(), std::vector<std::string>{"out"});
  EXPECT_EQ(layer.parameters(), (std::vector<std::string>{"in_proj_weight", "in_proj_bias",
                                                          "out_proj.weight", "out_proj.bias"}));
}

/// One key: its weight is 1, and out is its value.
TEST(Api, RunsAttentionWithWeights) {
  Attention core = compile(kCore);
  std::vector<float> query = randomFloats(2 * 3 * 8, 1), key = randomFloats(2 * 8, 2),
                     value = randomFloats(2 * 8, 3), out(2 * 3 * 8), weights(2 * 3);
  core(Context(1),
       {{"query", tensor(query.data(), {1, 2, 3, 8})},
        {"key", tensor(key.data(), {1, 2, 1, 8})},
        {"value", tensor(value.data(), {1, 2, 1, 8})}},
       {{"out", tensor(out.data(), {1, 2, 3, 8})},
        {"weights", tensor(weights.data(), {1, 2, 3, 1})}});
  for (float weight : weights)
    EXPECT_EQ(weight, 1.0f);
  for (size_t head = 0; head < 2; ++head)
    for (size_t i = 0; i < 3; ++i)
      for (size_t c = 0; c < 8; ++c)
        EXPECT_FLOAT_EQ(out[(head * 3 + i) * 8 + c], value[head * 8 + c]);
}

TEST(Api, RefusesByKind) {
  std::string text;
  EXPECT_EQ(kindOf(R"({"module": {"embed_dim": 16, "num_heads": 3}})", {}, text),
            Kind::Configuration);
  EXPECT_NE(text.find("module.num_heads"), std::string::npos) << text;
  EXPECT_EQ(kindOf("{", {}, text), Kind::Configuration);
  EXPECT_EQ(kindOf(kModule, {"no-such-cpu", {}, ""}, text), Kind::Target);
  EXPECT_NE(text.find("no-such-cpu"), std::string::npos) << text;
  EXPECT_EQ(kindOf(kModule, {"host", {}, "{}"}, text), Kind::Schedule);
  EXPECT_EQ(kindOf(kModule, {"aarch64", {}, ""}, text), Kind::Target);
  EXPECT_NE(text.find("another architecture"), std::string::npos) << text;
  EXPECT_EQ(kindOf(kModule, {"host", {"module.embed_dim=0"}, ""}, text), Kind::Configuration);
  EXPECT_NE(text.find("embed_dim"), std::string::npos) << text;
}

TEST(Api, OverridesChangeKeys) {
  Attention layer = compile(kModule, {"host", {"module.bias=false"}, ""});
  EXPECT_EQ(layer.parameters(), (std::vector<std::string>{"in_proj_weight", "out_proj.weight"}));
}

TEST(Api, MissingTensorsAndParametersAreStatuses) {
  Attention layer = compile(kModule);
  std::vector<float> query(5 * 16), out(5 * 16);
  const NamedTensors inputs = {{"query", tensor(query.data(), {5, 1, 16})}};
  const NamedTensors outputs = {{"out", tensor(out.data(), {5, 1, 16})}};
  try {
    layer(Context(1), {}, outputs);
    FAIL() << "ran without query";
  } catch (const StatusError &error) {
    EXPECT_EQ(error.status(), ATTUNE_NOT_FOUND);
    EXPECT_NE(std::string(error.what()).find("query"), std::string::npos) << error.what();
  }
  try {
    layer(Context(1), inputs, outputs);
    FAIL() << "ran without parameters";
  } catch (const StatusError &error) {
    EXPECT_EQ(error.status(), ATTUNE_NOT_FOUND);
    EXPECT_STREQ(error.what(), "layer: the parameters are not set");
  }
  EXPECT_THROW(layer.setParameters({}), StatusError);
}

/// What an application sees of a failure: a type to catch, a kind to branch on, a text to show.
TEST(Api, ErrorsAreStandardExceptions) {
  EXPECT_THROW((void)compile("{"), std::runtime_error);
  EXPECT_THROW(Context(-1), std::runtime_error);
}

/// The result of a core with one input, batch 1 and length 37.
std::vector<float> resultOf(const Attention &core, int64_t heads, int64_t depth) {
  constexpr int64_t length = 37;
  std::vector<float> query = randomFloats(static_cast<size_t>(heads * length * depth), 9);
  std::vector<float> out(query.size());
  core(Context(1), {{"query", tensor(query.data(), {1, heads, length, depth})}},
       {{"out", tensor(out.data(), {1, heads, length, depth})}});
  return out;
}

struct Core {
  int64_t heads, depth;
  std::vector<std::string> overrides;
};

const Core kCores[] = {
    {1, 8, {}},
    {2, 8, {"forward.is_causal=true"}},
    {3, 24, {"score=where(i < j, s, -s)"}},
    {2, 16, {"fully_masked_rows=nan"}},
    {1, 64, {"module.scale=0.5"}},
};

std::vector<float> compileAndRun(const Core &core) {
  CompileSettings settings{"host", core.overrides, ""};
  settings.Overrides.push_back("module.num_heads=" + std::to_string(core.heads));
  settings.Overrides.push_back("module.head_dim=" + std::to_string(core.depth));
  return resultOf(compile(R"({"op": "attention", "forward": {"inputs": "self"}})", settings),
                  core.heads, core.depth);
}

/// A database whose only schedule rounds exp2 so coarsely that a result shows it.
TEST(Api, TakesMeasuredSchedulesFromTheDatabase) {
#ifndef __x86_64__
  GTEST_SKIP() << "the target is an x86-64 CPU";
#endif
  const std::string path = testing::TempDir() + "attune-api-" + std::to_string(getpid()) + ".jsonl";
  ScheduleRecord record;
  record.kind = RecordKind::Best;
  record.key = {"attention", "float32", 8, {2, 512, 512, 0, false, false, false},
                "x86-64",    "x86-64",  4, 16};
  record.schedule = defaultSchedule({false, 0, 8}, {4, 16, 32 << 10, 1 << 20});
  record.schedule.exp2Degree = 3;
  record.figures = record.defaultFigures = Figures{1, 1, 0, 1};
  std::string error;
  ASSERT_TRUE(ScheduleDatabase(path).append(record, error)) << error;
  const std::string core = R"({"op": "attention", "module": {"num_heads": 2, "head_dim": 8},
                               "forward": {"inputs": "self"}})";
  auto result = [&](std::optional<std::string> database) {
    CompileSettings settings;
    settings.Target = "x86-64";
    settings.Database = std::move(database);
    return resultOf(compile(core, settings), 2, 8);
  };
  const std::vector<float> measured = result(path), byDefault = result("");
  EXPECT_NE(measured, byDefault);
  EXPECT_EQ(result(std::nullopt), byDefault); // these tests run with ATTUNE_DATABASE=
  setenv("ATTUNE_DATABASE", path.c_str(), 1);
  EXPECT_EQ(result(std::nullopt), measured);
  setenv("ATTUNE_DATABASE", "", 1);
  std::filesystem::remove(path);
}

/// The text of a refused configuration, whose number of heads must be in it.
std::string refusalOf(int64_t heads) {
  std::string text;
  const std::string overrideText = "module.num_heads=" + std::to_string(heads);
  EXPECT_EQ(kindOf(kModule, {"host", {overrideText}, ""}, text), Kind::Configuration);
  return text;
}

/// Threads that compile different configurations at once, some of them wrong, get what each alone
/// gets.
TEST(Api, CompilationsMayOverlap) {
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "the libraries of LLVM and Halide are not instrumented";
#endif
  constexpr size_t count = std::size(kCores);
  std::vector<float> expected[count], found[count];
  std::string expectedText[count], foundText[count];
  auto work = [](size_t k, std::vector<float> &result, std::string &text) {
    text = refusalOf(17 + static_cast<int64_t>(k));
    result = compileAndRun(kCores[k]);
  };
  for (size_t k = 0; k < count; ++k)
    work(k, expected[k], expectedText[k]);
  std::vector<std::thread> threads;
  for (size_t k = 0; k < count; ++k)
    threads.emplace_back([&, k] { work(k, found[k], foundText[k]); });
  for (std::thread &thread : threads)
    thread.join();
  for (size_t k = 0; k < count; ++k) {
    EXPECT_EQ(found[k], expected[k]) << k;
    EXPECT_EQ(foundText[k], expectedText[k]) << k;
  }
}

/// Calls of many threads, of different lengths, give what one thread gives.
TEST(Api, CallsMayOverlap) {
  Attention layer = compile(kModule);
  std::vector<float> inWeight = randomFloats(48 * 16, 4), inBias = randomFloats(48, 5),
                     outWeight = randomFloats(16 * 16, 6), outBias = randomFloats(16, 7);
  layer.setParameters({{"in_proj_weight", tensor(inWeight.data(), {48, 16})},
                       {"in_proj_bias", tensor(inBias.data(), {48})},
                       {"out_proj.weight", tensor(outWeight.data(), {16, 16})},
                       {"out_proj.bias", tensor(outBias.data(), {16})}});
  const Context context(2);
  auto run = [&](int64_t length) {
    std::vector<float> query = randomFloats(static_cast<size_t>(length) * 16, 8), out(query.size());
    layer(context, {{"query", tensor(query.data(), {length, 1, 16})}},
          {{"out", tensor(out.data(), {length, 1, 16})}});
    return out;
  };
  std::vector<std::vector<float>> expected;
  for (int64_t length = 1; length <= 20; ++length)
    expected.push_back(run(length));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&, k] {
      for (int64_t turn = 0; turn < 40; ++turn) {
        const int64_t length = 1 + (turn * 7 + k) % 20;
        wrong += run(length) != expected[static_cast<size_t>(length - 1)];
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

} // namespace
} // namespace attune
