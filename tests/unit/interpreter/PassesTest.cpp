//===- PassesTest.cpp - Every pass keeps the meaning ----------------------===//
//
// The graph of a configuration is run before any pass, after every graph pass, after the parameters
// are packed, and as a program over small tiles; all results are compared with plain loops.
//
//===----------------------------------------------------------------------===//
#include "mlir/Transforms/Passes.h"
#include "InterpreterTest.h"
#include "PassCases.h"
#include "dialect/ScheduleAttribute.h"
#include "frontend/BuildGraph.h"
#include "mlir/Pass/PassManager.h"
#include "transforms/DecomposeModule.h"
#include "transforms/FuseProjections.h"
#include "transforms/MasksToRegions.h"
#include "transforms/PackParameters.h"
#include "transforms/TileGraph.h"
#include <cmath>

using namespace mlir;

namespace attune::test {
namespace {

/// Tiles so small that several of them, and rests, occur in every dimension.
CpuSchedule smallSchedule(bool valuesAsIs) {
  CpuSchedule schedule;
  schedule.queryTile = 6;
  schedule.kvTile = 16;
  schedule.fewRows = 4;
  schedule.splitKeys = 32;
  schedule.scores = {3, 1};
  schedule.values = {3, 1};
  schedule.packValue = valuesAsIs ? PackValue::AsIs : PackValue::PerHead;
  schedule.projection = {4, 1};
  schedule.projectionRows = 8;
  schedule.projectionDepth = 5;
  schedule.weightPanel = 16;
  return schedule;
}

class Passes : public testing::TestWithParam<PassCase> {
protected:
  static constexpr unsigned kSeed = 20260;
  static constexpr double kTolerance = 1e-12;

  void SetUp() override {
    loadDialects(context);
    RecordProperty("seed", kSeed);
    llvm::Expected<Config> parsed = parseConfig("{" + GetParam().json + "}", "test.json");
    ASSERT_TRUE(static_cast<bool>(parsed)) << toString(parsed.takeError());
    config = *parsed;
    std::mt19937 generator(kSeed);
    tensors = randomTensors(config, GetParam(), generator);
    module = buildGraph(config, context);
    mha::setSchedule(*module, smallSchedule(GetParam().valuesAsIs), {8, 16});
    expected = plainAttention(config, GetParam().sizes, tensors, GetParam().score);
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
    compare(*results, kTolerance, stage);
  }

  void compare(const std::vector<mha::Array> &found, double tolerance, const std::string &stage) {
    ASSERT_EQ(found.size(), expected.size()) << stage;
    for (size_t k = 0; k < found.size(); ++k)
      EXPECT_TRUE(near(found[k], expected[k], tolerance)) << stage << ", output " << k;
  }

  /// A copy of the array with NaN between its rows, or the array itself. Module tensors keep evenly
  /// spaced rows, as the interface demands; the stride of a dimension of size 1 means nothing.
  mha::Array spread(const mha::Array &array, bool isActivation) {
    if (!isActivation || array.rank() < 2 || array.elements() == 0)
      return array;
    mha::Array wide = array.dense();
    const int64_t columns = array.shape.back(), stride = columns + 3;
    const std::vector<double> packed = *wide.storage;
    const int64_t rows = packed.size() / columns;
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
    std::vector<mha::Array> outputs;
    for (const mha::Array &output : expected)
      outputs.push_back(spread(mha::Array::filled(output.shape, std::nan("")), strided));
    llvm::append_range(forward, outputs);
    const Sizes &sizes = GetParam().sizes;
    llvm::append_range(forward, Arguments{sizes.batch, sizes.target, sizes.source});
    ASSERT_EQ(toString(mha::interpretTiles(function("forward"), forward)), "") << stage;
    compare(outputs, kTolerance, std::string(stage) + (strided ? ", strided" : ""));
  }

  MLIRContext context;
  Config config;
  Tensors tensors;
  OwningOpRef<ModuleOp> module;
  std::vector<mha::Array> expected;
};

INSTANTIATE_TEST_SUITE_P(Configurations, Passes, testing::ValuesIn(passCases()),
                         [](const auto &info) { return info.param.name; });

TEST_P(Passes, KeepTheMeaning) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  ASSERT_NO_FATAL_FAILURE(checkGraph("graph"));
  ASSERT_NO_FATAL_FAILURE(runPass(createDecomposeModule()));
  ASSERT_NO_FATAL_FAILURE(checkGraph("decompose-module"));
  ASSERT_NO_FATAL_FAILURE(runPass(createFuseProjections()));
  ASSERT_NO_FATAL_FAILURE(checkGraph("fuse-projections"));
  ASSERT_NO_FATAL_FAILURE(runPass(createMasksToRegions()));
  ASSERT_NO_FATAL_FAILURE(checkGraph("masks-to-regions"));
  ASSERT_NO_FATAL_FAILURE(runPass(createPackParameters()));
  ASSERT_NO_FATAL_FAILURE(checkGraph("pack-parameters"));
  ASSERT_NO_FATAL_FAILURE(runPass(createTileGraph()));
  checkTiles("tile", false);
  checkTiles("tile", true);
  ASSERT_NO_FATAL_FAILURE(runPass(createCanonicalizerPass()));
  ASSERT_NO_FATAL_FAILURE(runPass(createCSEPass()));
  checkTiles("canonicalize and cse", false);
  checkTiles("canonicalize and cse", true);
}

TEST_P(Passes, SinglePrecisionIsClose) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  auto results = mha::interpretGraph(function("forward"), argumentsOf(function("forward")),
                                     {.rounding = mha::Rounding::Float32});
  ASSERT_TRUE(static_cast<bool>(results)) << toString(results.takeError());
  compare(*results, 2e-5, "float32");
  for (const mha::Array &result : *results)
    for (double value : elements(result))
      if (!std::isnan(value)) {
        ASSERT_EQ(value, static_cast<float>(value));
      }
}

} // namespace
} // namespace attune::test
