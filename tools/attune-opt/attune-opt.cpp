//===- attune-opt.cpp - Runs passes on textual IR -------------------------===//
//
// For tests and for people who look at passes: reads MLIR, runs the passes and phases named on the
// command line, prints MLIR.
//
//===----------------------------------------------------------------------===//
#include "dialect/Mha.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "pipeline/Pipeline.h"

int main(int argc, char **argv) {
  attune::registerPasses();
  mlir::registerTransformsPasses();
  mlir::DialectRegistry registry;
  registry.insert<attune::mha::MhaDialect, mlir::affine::AffineDialect, mlir::arith::ArithDialect,
                  mlir::cf::ControlFlowDialect, mlir::func::FuncDialect, mlir::LLVM::LLVMDialect,
                  mlir::math::MathDialect, mlir::memref::MemRefDialect, mlir::scf::SCFDialect>();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "attune's pass driver\n", registry));
}
