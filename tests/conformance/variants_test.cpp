//===- variants_test.cpp - Objects for several targets, baked parameters --===//
//
// Every target of an object computes what the reference does, from packed parameters of its own or
// from those that all targets of the object share.
//
//===----------------------------------------------------------------------===//
#include "RandomProblem.h"
#include "Reference.h"
#include "Tolerance.h"

#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
struct VariantCase {
  const char *name, *config;
};

// Appended keys have another layout for each target; 40 columns are no whole panel of any.
const VariantCase cases[] = {
    {"core", R"({"op":"attention","module":{"num_heads":2,"head_dim":40}})"},
    {"self", R"({"module":{"embed_dim":40,"num_heads":2},"forward":{"inputs":"self"}})"},
    {"appended", R"({"module":{"embed_dim":24,"num_heads":3,"add_bias_kv":true,
       "add_zero_attn":true,"kdim":20},"forward":{"key_padding_mask":"bool"}})"},
    {"no_bias", R"({"module":{"embed_dim":130,"num_heads":2,"bias":false,"batch_first":true}})"},
    {"bfloat16", R"({"dtype":"bfloat16","module":{"embed_dim":72,"num_heads":3},
       "forward":{"inputs":"self"}})"}};

class Variants : public testing::TestWithParam<VariantCase> {
protected:
  Variants() {
    Random random(77);
    problem = normalProblem(config, {2, 70, 150}, random);
    exact = reference<double>(problem);
    naive = reference<float>(problem);
  }

  static std::vector<cpu::TargetInfo> targets() {
    return {targetOf("x86-64"), targetOf("x86-64-v4"), targetOf("x86-64-v3")};
  }

  void expectRight(const TestModule &module, const std::string &which) {
    const attune::Context context(2);
    const Outcome outcome = module.run(context, problem);
    ASSERT_EQ(outcome.status, ATTUNE_OK) << which << ": " << outcome.text;
    EXPECT_EQ(outcome.damage, "") << which;
    EXPECT_EQ(compare(outcome, exact, naive), "") << which;
  }

  /// Runs the code of each target that this CPU has the features for, and that which is picked.
  int expectAllRight(TestModule &module) {
    int ran = 0;
    for (const attune_module *one = &module.module(); one; one = one->fallback) {
      if (one->cpu_features & ~attune_cpu_features())
        continue;
      module.useVariant(one);
      expectRight(module, "features " + std::to_string(one->cpu_features));
      ++ran;
    }
    module.useVariant(nullptr);
    expectRight(module, "the one that is picked");
    return ran;
  }

  const Config config = configOf(GetParam().config);
  Problem problem;
  Results<double> exact;
  Results<float> naive;
};
} // namespace

TEST_P(Variants, PackTheirOwnParameters) {
  TestModule module(config, targets(), nullptr);
  ASSERT_EQ(module.result().fallbacks.size(), 2u);
  EXPECT_EQ(module.result().target.name, "x86-64-v4"); // most features first
  EXPECT_EQ(module.result().fallbacks[1].target.name, "x86-64");
  EXPECT_GE(expectAllRight(module), 1);
}

TEST_P(Variants, ShareBakedParameters) {
  if (problem.parameters.empty())
    return;
  TestModule module(config, targets(), &problem);
  const void *baked = module.module().baked;
  ASSERT_NE(baked, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(baked) % ATTUNE_ALIGNMENT, 0u);
  for (const attune_module *one = &module.module(); one; one = one->fallback) {
    EXPECT_EQ(one->baked, baked) << "weights are stored once";
    EXPECT_EQ(one->parameter_count, 0);
  }
  EXPECT_GE(expectAllRight(module), 1);
}

TEST_P(Variants, BakedForOneTarget) {
  if (problem.parameters.empty())
    return;
  TestModule module(config, {targetOf("host")}, &problem);
  EXPECT_EQ(module.module().fallback, nullptr);
  expectRight(module, "host");
}

/// Vectors and tiles of pairs read the same packed weights.
TEST_P(Variants, ShareBakedPairs) {
  if (config.dtype != DType::BFloat16)
    return;
  const std::vector<cpu::TargetInfo> pairs = {targetOf("cooperlake"), targetOf("sapphirerapids")};
  TestModule module(config, pairs, &problem);
  for (const attune_module *one = &module.module(); one; one = one->fallback)
    EXPECT_EQ(one->baked, module.module().baked);
  if (!canRun(pairs.front()))
    GTEST_SKIP() << "this CPU lacks features of " << pairs.front().name;
  EXPECT_GE(expectAllRight(module), 1);
}

INSTANTIATE_TEST_SUITE_P(Cases, Variants, testing::ValuesIn(cases),
                         [](const auto &info) { return std::string(info.param.name); });

namespace {
/// The message that compiling stops with.
std::string refusal(const std::vector<cpu::TargetInfo> &targets, const CompileOptions &options) {
  llvm::Expected<CompiledModule> compiled = compile(configOf(cases[1].config), targets, options);
  return compiled ? "" : llvm::toString(compiled.takeError());
}
} // namespace

TEST(VariantErrors, Targets) {
  EXPECT_EQ(refusal({}, {}), "no target given, expected at least one");
  EXPECT_EQ(refusal({targetOf("x86-64"), targetOf("x86-64-v3"), targetOf("x86-64")}, {}),
            "target x86-64: found twice, expected once");
  EXPECT_EQ(refusal({targetOf("x86-64"), targetOf("neoverse-n1")}, {}),
            "targets x86-64 and neoverse-n1: found two architectures, expected one for an object");
  CompileOptions tiles;
  tiles.lastPhase = Phase::Tiles;
  EXPECT_EQ(refusal({targetOf("x86-64"), targetOf("x86-64-v3")}, tiles),
            "phase tiles is that of one target; found 2 targets");
}

TEST(VariantErrors, Parameters) {
  Problem problem = emptyProblem(configOf(cases[1].config), {1, 1, 1});
  auto refusalOf = [&](auto change) {
    CompileOptions options;
    const DenseParameters parameters(problem);
    options.parameters = parameters.views();
    change(options.parameters);
    return refusal({targetOf("host")}, options);
  };
  EXPECT_EQ(refusalOf([](auto &all) { all.pop_back(); }), "3 parameters given, expected 4");
  EXPECT_EQ(refusalOf([](auto &all) { all[1].dtype = ATTUNE_FLOAT64; }),
            "in_proj_bias: dtype is float64, expected float32");
  EXPECT_EQ(refusalOf([](auto &all) { all[0].sizes[0] = 119; }),
            "in_proj_weight: shape is (119, 40), expected (120, 40)");
  EXPECT_EQ(refusalOf([](auto &all) { all[0].rank = 1; }),
            "in_proj_weight: shape is (120), expected (120, 40)");
}
