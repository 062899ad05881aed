//===- InterpreterTest.h - What the interpreter's tests share ---*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_INTERPRETER_INTERPRETERTEST_H
#define ATTUNE_TESTS_UNIT_INTERPRETER_INTERPRETERTEST_H

#include "dialect/Interpreter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace attune::test {

/// A context with every dialect that graph and tile IR use.
void loadDialects(mlir::MLIRContext &context);

/// Parses IR and runs @f of it.
class ModuleTest : public testing::Test {
protected:
  ModuleTest() { loadDialects(context); }

  /// The function @f of the module.
  mlir::func::FuncOp parse(llvm::StringRef text);

  /// The results of graph IR; a failure of the test when there is an error.
  std::vector<mha::Array> runGraph(llvm::StringRef text, llvm::ArrayRef<mha::Array> arguments,
                                   const mha::InterpreterOptions &options = {});
  /// Runs tile IR.
  void runTiles(llvm::StringRef text, llvm::ArrayRef<std::variant<mha::Array, int64_t>> arguments,
                const mha::InterpreterOptions &options = {});

  /// The texts of the errors; "" when there is none.
  std::string graphError(llvm::StringRef text, llvm::ArrayRef<mha::Array> arguments);
  std::string tileError(llvm::StringRef text,
                        llvm::ArrayRef<std::variant<mha::Array, int64_t>> arguments);

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// The text with `to` for every `from`, of which there must be one.
std::string replaced(llvm::StringRef text, llvm::StringRef from, llvm::StringRef to);

/// Numbers uniform in [-1, 1).
mha::Array randomArray(llvm::ArrayRef<int64_t> shape, std::mt19937 &generator);

/// The elements in order.
std::vector<double> elements(const mha::Array &array);

/// Equal shape, NaN at the same places, and no difference above `tolerance`.
testing::AssertionResult near(const mha::Array &found, const mha::Array &expected,
                              double tolerance);

} // namespace attune::test

#endif
