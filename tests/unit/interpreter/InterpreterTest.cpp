//===- InterpreterTest.cpp - What the interpreter's tests share -----------===//
#include "InterpreterTest.h"

#include "dialect/Mha.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include <cmath>

using namespace mlir;

namespace attune::test {

void loadDialects(MLIRContext &context) {
  context
      .loadDialect<mha::MhaDialect, affine::AffineDialect, arith::ArithDialect, func::FuncDialect,
                   math::MathDialect, memref::MemRefDialect, scf::SCFDialect>();
}

func::FuncOp ModuleTest::parse(llvm::StringRef text) {
  module = parseSourceString<ModuleOp>(text, ParserConfig(&context), "test.mlir");
  return module ? module->lookupSymbol<func::FuncOp>("f") : func::FuncOp();
}

std::vector<mha::Array> ModuleTest::runGraph(llvm::StringRef text,
                                             llvm::ArrayRef<mha::Array> arguments,
                                             const mha::InterpreterOptions &options) {
  func::FuncOp function = parse(text);
  EXPECT_TRUE(function);
  if (!function)
    return {};
  auto results = mha::interpretGraph(function, arguments, options);
  if (results)
    return *results;
  ADD_FAILURE() << toString(results.takeError());
  return {};
}

void ModuleTest::runTiles(llvm::StringRef text,
                          llvm::ArrayRef<std::variant<mha::Array, int64_t>> arguments,
                          const mha::InterpreterOptions &options) {
  func::FuncOp function = parse(text);
  ASSERT_TRUE(function);
  llvm::Error error = mha::interpretTiles(function, arguments, options);
  EXPECT_EQ(toString(std::move(error)), "");
}

std::string ModuleTest::graphError(llvm::StringRef text, llvm::ArrayRef<mha::Array> arguments) {
  func::FuncOp function = parse(text);
  if (!function)
    return "does not parse";
  auto results = mha::interpretGraph(function, arguments);
  return results ? "" : toString(results.takeError());
}

std::string ModuleTest::tileError(llvm::StringRef text,
                                  llvm::ArrayRef<std::variant<mha::Array, int64_t>> arguments) {
  func::FuncOp function = parse(text);
  return function ? toString(mha::interpretTiles(function, arguments)) : "does not parse";
}

std::string replaced(llvm::StringRef text, llvm::StringRef from, llvm::StringRef to) {
  EXPECT_TRUE(text.contains(from)) << from.str();
  std::string result = text.str();
  for (size_t at = 0; (at = result.find(from.str(), at)) != std::string::npos; at += to.size())
    result.replace(at, from.size(), to.str());
  return result;
}

mha::Array randomArray(llvm::ArrayRef<int64_t> shape, std::mt19937 &generator) {
  mha::Array array = mha::Array::filled(shape);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (double &value : *array.storage)
    value = uniform(generator);
  return array;
}

std::vector<double> elements(const mha::Array &array) { return *array.dense().storage; }

testing::AssertionResult near(const mha::Array &found, const mha::Array &expected,
                              double tolerance) {
  if (found.shape != expected.shape)
    return testing::AssertionFailure() << "shapes " << testing::PrintToString(found.shape)
                                       << " and " << testing::PrintToString(expected.shape);
  const std::vector<double> a = elements(found), b = elements(expected);
  for (size_t k = 0; k < a.size(); ++k)
    if (std::isnan(a[k]) != std::isnan(b[k]) || std::fabs(a[k] - b[k]) > tolerance)
      return testing::AssertionFailure()
             << "element " << k << " of shape " << testing::PrintToString(found.shape) << " is "
             << a[k] << ", expected " << b[k];
  return testing::AssertionSuccess();
}

} // namespace attune::test
