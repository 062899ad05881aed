//===- PassesTest.cpp - Every pass keeps the meaning ----------------------===//
//
// The graph of a configuration is run before any pass, after every graph pass, after the parameters
// are packed, and as a program over small tiles; all results are compared with plain loops.
//
//===----------------------------------------------------------------------===//
#include "mlir/Transforms/Passes.h"
#include "InterpreterTest.h"
#include "PlainAttention.h"
#include "dialect/ScheduleAttribute.h"
#include "frontend/BuildGraph.h"
#include "frontend/Interface.h"
#include "mlir/Pass/PassManager.h"
#include "transforms/DecomposeModule.h"
#include "transforms/FuseProjections.h"
#include "transforms/MasksToRegions.h"
#include "transforms/PackParameters.h"
#include "transforms/TileGraph.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace attune::test {
namespace {

struct Case {
  std::string name, json;
  Sizes sizes;
  bool valuesAsIs = false; ///< head_dim is whole vectors
};

void PrintTo(const Case &testCase, std::ostream *stream) { *stream << testCase.name; }

const std::string module12 = R"("op": "multihead_attention",
  "module": {"embed_dim": 12, "num_heads": 3, "batch_first": )";
const std::string heads2x5 = R"("op": "attention", "module": {"num_heads": 2, "head_dim": 5}, )";

std::vector<Case> allCases() {
  return {
      {"Attention", heads2x5 + R"("forward": {})", {2, 7, 19}},
      {"AttentionCausalLongSource", heads2x5 + R"("forward": {"is_causal": true})", {1, 20, 53}},
      {"AttentionCausalLongTarget", heads2x5 + R"("forward": {"is_causal": true})", {2, 41, 18}},
      {"AttentionBool", heads2x5 + R"("forward": {"attn_mask": "bool_2d"})", {2, 13, 35}},
      {"AttentionBoolCausal",
       heads2x5 + R"("forward": {"attn_mask": "bool_2d", "is_causal": true})",
       {1, 29, 40}},
      {"AttentionFloatNan",
       R"("fully_masked_rows": "nan", )" + heads2x5 + R"("forward": {"attn_mask": "float_2d"})",
       {2, 14, 33}},
      {"AttentionUnbatched",
       heads2x5 + R"("forward": {"batched": false, "is_causal": true})",
       {1, 9, 17}},
      {"AttentionOneQuery", heads2x5 + R"("forward": {"inputs": "shared_key_value"})", {3, 1, 40}},
      {"AttentionOneKey", heads2x5 + R"("forward": {})", {2, 8, 1}},
      {"AttentionSelfAsIs",
       R"("op": "attention", "module": {"num_heads": 2, "head_dim": 8, "scale": 0.7},
          "forward": {"inputs": "self", "is_causal": true})",
       {2, 35, 35},
       true},
      {"AttentionNoKeys",
       R"("fully_masked_rows": "nan", )" + heads2x5 + R"("forward": {})",
       {2, 8, 0}},
      {"AttentionNoBatch", heads2x5 + R"("forward": {})", {0, 8, 5}},
      {"ModuleSeparate", module12 + R"(false}, "forward": {"need_weights": false})", {2, 7, 19}},
      {"ModuleBatchFirstSelfCausal",
       module12 + R"(true}, "forward": {"need_weights": false, "inputs": "self",
                     "is_causal": true})",
       {3, 21, 21}},
      {"ModuleSelfBool",
       module12 + R"(false}, "forward": {"need_weights": false, "inputs": "self",
                     "attn_mask": "bool_2d"})",
       {2, 18, 18}},
      {"ModuleSharedFloatNoBias",
       module12 + R"(true, "bias": false}, "forward": {"need_weights": false,
                     "inputs": "shared_key_value", "attn_mask": "float_2d", "is_causal": true})",
       {2, 17, 23}},
      {"ModuleUnbatchedBool",
       module12 + R"(true}, "forward": {"need_weights": false, "batched": false,
                     "attn_mask": "bool_2d"})",
       {1, 13, 34}},
      {"ModuleStaticSizes",
       module12 + R"(true}, "forward": {"need_weights": false, "batch": 2, "target_length": 11,
                     "source_length": 18, "is_causal": true})",
       {2, 11, 18}},
      {"ModuleOneBatch", module12 + R"(false}, "forward": {"need_weights": false})", {1, 9, 16}},
      {"ModuleNoKeys", module12 + R"(true}, "forward": {"need_weights": false})", {2, 5, 0}},
      {"ModuleNoQueries", module12 + R"(true}, "forward": {"need_weights": false})", {2, 0, 5}},
      {"ModuleOneOfAll",
       R"("op": "multihead_attention", "module": {"embed_dim": 1, "num_heads": 1},
          "forward": {"need_weights": false, "inputs": "self"})",
       {1, 1, 1}},
  };
}

/// Tiles so small that several of them, and rests, occur in every dimension.
CpuSchedule smallSchedule(bool valuesAsIs) {
  CpuSchedule schedule;
  schedule.queryTile = 6;
  schedule.kvTile = 16;
  schedule.scores = {3, 1};
  schedule.values = {3, 1};
  schedule.packValue = valuesAsIs ? PackValue::AsIs : PackValue::PerHead;
  schedule.projection = {4, 1};
  schedule.projectionRows = 8;
  schedule.projectionDepth = 5;
  return schedule;
}

class Passes : public testing::TestWithParam<Case> {
protected:
  static constexpr unsigned kSeed = 20260;
  static constexpr double kTolerance = 1e-12;

  void SetUp() override {
    loadDialects(context);
    RecordProperty("seed", kSeed);
    llvm::Expected<Config> parsed = parseConfig("{" + GetParam().json + "}", "test.json");
    ASSERT_TRUE(static_cast<bool>(parsed)) << toString(parsed.takeError());
    config = *parsed;
    makeTensors();
    module = buildGraph(config, context);
    mha::setSchedule(*module, smallSchedule(GetParam().valuesAsIs), {8, 16});
    expected = plainAttention(config, GetParam().sizes, tensors);
  }

  std::vector<int64_t> shapeOf(const InterfaceTensor &tensor) {
    const Sizes &sizes = GetParam().sizes;
    const int64_t symbols[] = {1, sizes.batch, sizes.target, sizes.source};
    std::vector<int64_t> shape;
    for (const SymbolicSize &size : tensor.sizes)
      shape.push_back(symbols[static_cast<int>(size.symbol)] * size.factor);
    return shape;
  }

  /// Random inputs and parameters. Masks hide about half of the keys, and all keys of row 2.
  void makeTensors() {
    std::mt19937 generator(kSeed);
    for (const auto &list : {interfaceInputs(config), interfaceParameters(config)})
      for (const InterfaceTensor &tensor : list)
        tensors[tensor.name] = randomArray(shapeOf(tensor), generator);
    if (!tensors.count("attn_mask"))
      return;
    mha::Array &mask = tensors["attn_mask"];
    const bool isFloat = config.forward.attnMask == AttnMask::Float2d;
    for (int64_t k = 0; k < mask.elements(); ++k) {
      double &entry = (*mask.storage)[k];
      const bool hidden = entry < 0 || k / mask.shape[1] == 2;
      if (!isFloat)
        entry = hidden ? (k % 2 ? 255 : 1) : 0;
      else if (hidden)
        entry = -std::numeric_limits<double>::infinity();
    }
  }

  void runPass(std::unique_ptr<Pass> pass) {
    PassManager manager(&context);
    manager.addPass(std::move(pass));
    ASSERT_TRUE(succeeded(manager.run(*module)));
  }

  func::FuncOp function(llvm::StringRef name) { return module->lookupSymbol<func::FuncOp>(name); }

  /// The named tensors in the order of the arguments; what has no name is left out.
  std::vector<mha::Array> argumentsOf(func::FuncOp function) {
    std::vector<mha::Array> arguments;
    for (unsigned k = 0; k < function.getNumArguments(); ++k)
      for (const char *attribute : {"mha.input", "mha.parameter"})
        if (auto name = function.getArgAttrOfType<StringAttr>(k, attribute))
          arguments.push_back(tensors.at(name.str()));
    return arguments;
  }

  void checkGraph(const char *stage) {
    std::vector<mha::Array> arguments = argumentsOf(function("forward"));
    if (func::FuncOp pack = function("pack")) {
      auto packed = mha::interpretGraph(pack, argumentsOf(pack));
      ASSERT_TRUE(static_cast<bool>(packed)) << stage << ": " << toString(packed.takeError());
      llvm::append_range(arguments, *packed);
    }
    auto results = mha::interpretGraph(function("forward"), arguments);
    ASSERT_TRUE(static_cast<bool>(results)) << stage << ": " << toString(results.takeError());
    ASSERT_EQ(results->size(), 1u);
    EXPECT_TRUE(near(results->front(), expected, kTolerance)) << stage;
  }

  /// A copy of the array with NaN between its rows, or the array itself. Module tensors keep evenly
  /// spaced rows, as the interface demands; the stride of a dimension of size 1 means nothing.
  mha::Array spread(const mha::Array &array, bool isActivation) {
    if (!isActivation || array.rank() < 2)
      return array;
    mha::Array wide = array.dense();
    const int64_t columns = array.shape.back(), stride = columns + 3;
    const std::vector<double> packed = *wide.storage;
    const int64_t rows = columns == 0 ? 0 : packed.size() / columns;
    wide.storage = std::make_shared<std::vector<double>>(rows * stride, std::nan(""));
    for (int64_t k = 0; k < rows * columns; ++k)
      (*wide.storage)[k / columns * stride + k % columns] = packed[k];
    for (int64_t k = 0; k + 1 < array.rank(); ++k)
      wide.strides[k] = array.shape[k] == 1 ? 4711 : wide.strides[k] / columns * stride;
    return wide;
  }

  void checkTiles(const char *stage, bool strided) {
    using Arguments = std::vector<std::variant<mha::Array, int64_t>>;
    Arguments forward;
    for (const mha::Array &array : argumentsOf(function("forward")))
      forward.push_back(spread(array, strided));
    if (func::FuncOp pack = function("pack")) {
      auto type = cast<MemRefType>(pack.getArgumentTypes().back());
      mha::Array packed = mha::Array::filled(type.getShape(), std::nan(""));
      Arguments arguments;
      llvm::append_range(arguments, argumentsOf(pack));
      arguments.push_back(packed);
      ASSERT_EQ(toString(mha::interpretTiles(pack, arguments)), "") << stage;
      forward.push_back(packed);
    }
    mha::Array out = spread(mha::Array::filled(expected.shape, std::nan("")), strided);
    const Sizes &sizes = GetParam().sizes;
    llvm::append_range(forward, Arguments{out, sizes.batch, sizes.target, sizes.source});
    ASSERT_EQ(toString(mha::interpretTiles(function("forward"), forward)), "") << stage;
    EXPECT_TRUE(near(out, expected, kTolerance)) << stage << (strided ? ", strided" : "");
  }

  MLIRContext context;
  Config config;
  Tensors tensors;
  OwningOpRef<ModuleOp> module;
  mha::Array expected;
};

INSTANTIATE_TEST_SUITE_P(Configurations, Passes, testing::ValuesIn(allCases()),
                         [](const auto &info) { return info.param.name; });

TEST_P(Passes, KeepTheMeaning) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  checkGraph("graph");
  runPass(createDecomposeModule());
  checkGraph("decompose-module");
  runPass(createFuseProjections());
  checkGraph("fuse-projections");
  runPass(createMasksToRegions());
  checkGraph("masks-to-regions");
  runPass(createPackParameters());
  checkGraph("pack-parameters");
  runPass(createTileGraph());
  checkTiles("tile", false);
  checkTiles("tile", true);
  runPass(createCanonicalizerPass());
  runPass(createCSEPass());
  checkTiles("canonicalize and cse", false);
  checkTiles("canonicalize and cse", true);
}

TEST_P(Passes, SinglePrecisionIsClose) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  auto results = mha::interpretGraph(function("forward"), argumentsOf(function("forward")),
                                     {.roundToFloat32 = true});
  ASSERT_TRUE(static_cast<bool>(results)) << toString(results.takeError());
  EXPECT_TRUE(near(results->front(), expected, 2e-5));
  for (double value : elements(results->front()))
    if (!std::isnan(value)) {
      ASSERT_EQ(value, static_cast<float>(value));
    }
}

} // namespace
} // namespace attune::test
