//===- golden_test.cpp - Results of torch.nn.MultiheadAttention -----------===//
//
// tests/goldens/mha holds modules with parameters, inputs, PyTorch's float32 result `out` and its
// float64 result `out64`. Cases that also return weights are called without them: that never
// changes `out` beyond rounding.
//
//===----------------------------------------------------------------------===//
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

std::vector<Golden> goldens() {
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

/// The golden's configuration, with its sizes or for all sizes.
std::string configJson(const Golden &golden, bool isStatic) {
  const json::Object &from = golden.forward;
  const llvm::StringRef mask = *from.getString("attn_mask");
  const bool batched = *from.getBoolean("batched");
  json::Object forward{{"batched", batched},
                       {"inputs", *from.getBoolean("self_attention") ? "self" : "separate"},
                       {"attn_mask", mask == "causal" ? "bool_2d" : mask},
                       {"need_weights", false},
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

class Goldens : public testing::TestWithParam<std::tuple<Golden, bool>> {};
} // namespace

TEST_P(Goldens, Agree) {
  const auto &[golden, isStatic] = GetParam();
  const TestModule module(configJson(golden, isStatic));
  const CallSizes sizes{*golden.forward.getInteger("N"), *golden.forward.getInteger("L"),
                        *golden.forward.getInteger("S")};
  Problem problem = emptyProblem(module.config(), sizes);
  const attune::TensorFile file(directory + golden.file);
  for (auto *tensors : {&problem.inputs, &problem.parameters})
    for (HostTensor &tensor : *tensors)
      tensor.values = contents<float>(file, tensor.name, tensor.sizes);
  const std::vector<double> exact = contents<double>(file, "out64", problem.outputSizes());
  const std::vector<float> torch = contents<float>(file, "out", problem.outputSizes());
  for (int threads = 1; threads <= 2; ++threads) {
    attune::Context context(threads);
    const Outcome outcome = module.run(context, problem);
    ASSERT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
    EXPECT_EQ(compare(outcome.out, exact, torch), "") << module.describe();
  }
}

INSTANTIATE_TEST_SUITE_P(Mha, Goldens,
                         testing::Combine(testing::ValuesIn(goldens()), testing::Bool()),
                         [](const auto &info) {
                           const std::string &file = std::get<0>(info.param).file;
                           return file.substr(0, file.find('.')) +
                                  (std::get<1>(info.param) ? "_static" : "_dynamic");
                         });
