//===- golden_test.cpp - Results of torch.nn.MultiheadAttention -----------===//
//
// tests/goldens/mha holds modules with parameters, inputs, and PyTorch's results in float32 (`out`,
// `weights`) and float64 (`out64`, `weights64`).
//
//===----------------------------------------------------------------------===//
#include "Interpreted.h"
#include "Reference.h"
#include "TestModule.h"
#include "Tolerance.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;
namespace json = llvm::json;

namespace {
const std::string directory = ATTUNE_GOLDENS "/mha/";

struct Golden {
  std::string file;
  json::Object module, forward;
};

std::ostream &operator<<(std::ostream &stream, const Golden &golden) {
  return stream << golden.file;
}

std::vector<Golden> readGoldens() {
  auto text = llvm::MemoryBuffer::getFile(directory + "index.json");
  if (!text)
    throw std::runtime_error("cannot read " + directory + "index.json");
  json::Value index = llvm::cantFail(json::parse((*text)->getBuffer()));
  std::vector<Golden> list;
  for (json::Value &entry : *index.getAsArray()) {
    json::Object &golden = *entry.getAsObject();
    list.push_back({golden.getString("file")->str(), *golden.getObject("module"),
                    *golden.getObject("forward")});
  }
  return list;
}

const std::vector<Golden> &goldens() {
  static const std::vector<Golden> once = readGoldens();
  return once;
}

/// The golden's configuration, with its sizes or for all sizes.
std::string configJson(const Golden &golden, bool isStatic) {
  const json::Object &from = golden.forward;
  const llvm::StringRef mask = *from.getString("attn_mask");
  const bool batched = *from.getBoolean("batched");
  json::Object forward{{"batched", batched},
                       {"inputs", *from.getBoolean("self_attention") ? "self" : "separate"},
                       {"attn_mask", mask == "causal" ? "bool_2d" : mask},
                       {"key_padding_mask", *from.getString("key_padding_mask")},
                       {"need_weights", *from.getBoolean("need_weights")},
                       {"average_attn_weights", *from.getBoolean("average_attn_weights")},
                       {"is_causal", *from.getBoolean("is_causal")}};
  if (isStatic) {
    forward["target_length"] = *from.getInteger("L");
    forward["source_length"] = *from.getInteger("S");
    if (batched)
      forward["batch"] = *from.getInteger("N");
  }
  json::Object config{{"module", json::Object(golden.module)}, {"forward", std::move(forward)}};
  std::string text;
  llvm::raw_string_ostream(text) << json::Value(std::move(config));
  return text;
}

/// The dense contents of a file's tensor, whose shape must be the expected one.
template <typename T>
std::vector<T> contents(const attune::TensorFile &file, const std::string &name,
                        const std::vector<int64_t> &sizes) {
  const attune_tensor tensor = file.get(name);
  if (std::vector<int64_t>(tensor.sizes, tensor.sizes + tensor.rank) != sizes)
    throw std::runtime_error(name + " has an unexpected shape");
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  switch (tensor.dtype) {
  case ATTUNE_FLOAT32:
    return {static_cast<float *>(tensor.data), static_cast<float *>(tensor.data) + count};
  case ATTUNE_FLOAT64:
    return {static_cast<double *>(tensor.data), static_cast<double *>(tensor.data) + count};
  case ATTUNE_BOOL:
    return {static_cast<uint8_t *>(tensor.data), static_cast<uint8_t *>(tensor.data) + count};
  default:
    throw std::runtime_error(name + " has an unexpected dtype");
  }
}

/// A golden as a problem, with PyTorch's results.
struct Case {
  Problem problem;
  Results<double> exact;
  Results<float> torch;

  Case(const Golden &golden, bool isStatic) {
    const CallSizes sizes{*golden.forward.getInteger("N"), *golden.forward.getInteger("L"),
                          *golden.forward.getInteger("S")};
    problem = emptyProblem(configOf(configJson(golden, isStatic)), sizes);
    const attune::TensorFile file(directory + golden.file);
    for (auto *tensors : {&problem.inputs, &problem.parameters})
      for (HostTensor &tensor : *tensors)
        tensor.values = contents<float>(file, tensor.name, tensor.sizes);
    for (const HostTensor &output : problem.outputs()) {
      const bool isOut = output.name == "out";
      (isOut ? exact.out : exact.weights) =
          contents<double>(file, output.name + "64", output.sizes);
      (isOut ? torch.out : torch.weights) = contents<float>(file, output.name, output.sizes);
    }
  }
};

class Goldens : public testing::TestWithParam<std::tuple<Golden, bool>> {
protected:
  Case golden() const { return Case(std::get<0>(GetParam()), std::get<1>(GetParam())); }
};
} // namespace

TEST_P(Goldens, CompiledCodeAgrees) {
  const Case golden = this->golden();
  const TestModule module(golden.problem.config, targetOf("host"), std::nullopt);
  for (int threads = 1; threads <= 2; ++threads) {
    attune::Context context(threads);
    const Outcome outcome = module.run(context, golden.problem);
    ASSERT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
    EXPECT_EQ(compare(outcome, golden.exact, golden.torch), "") << module.describe();
  }
}

TEST_P(Goldens, InterpretersAgree) {
  const Case golden = this->golden();
  const Config &config = golden.problem.config;
  const cpu::TargetInfo target = targetOf("host");
  const CpuSchedule schedule = defaultSchedule(scheduleProblem(config), target.traits);
  for (Phase phase : interpretedPhases)
    EXPECT_EQ(compareExactly(interpreted(golden.problem, target, schedule, phase), golden.exact),
              "")
        << "phase " << phaseInfo(phase).name.str() << "\n"
        << toJson(config);
}

INSTANTIATE_TEST_SUITE_P(Mha, Goldens,
                         testing::Combine(testing::ValuesIn(goldens()), testing::Bool()),
                         [](const auto &info) {
                           const std::string &file = std::get<0>(info.param).file;
                           return file.substr(0, file.find('.')) +
                                  (std::get<1>(info.param) ? "_static" : "_dynamic");
                         });

TEST(GoldenFiles, AreAllThere) { EXPECT_EQ(goldens().size(), 120u); }

TEST(GoldenFiles, AgreeWithTheReference) {
  for (const Golden &golden : goldens()) {
    const Case known(golden, false);
    EXPECT_EQ(compareExactly(reference<double>(known.problem), known.exact), "") << golden.file;
  }
}
