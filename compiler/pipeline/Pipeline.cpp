//===- Pipeline.cpp - The order of all passes -----------------------------===//
#include "pipeline/Pipeline.h"

#include "dialect/Mha.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "transforms/BindArguments.h"
#include "transforms/DecomposeModule.h"
#include "transforms/FuseProjections.h"
#include "transforms/MasksToRegions.h"
#include "transforms/OutlineParallel.h"
#include "transforms/PackParameters.h"
#include "transforms/PlanWorkspace.h"
#include "transforms/TileGraph.h"

using namespace mlir;

namespace attune {

void buildPhase(OpPassManager &passes, Phase phase, cpu::KernelSet &kernels) {
  switch (phase) {
  case Phase::Graph:
    passes.addPass(createDecomposeModule());
    passes.addPass(createFuseProjections());
    passes.addPass(createMasksToRegions());
    break;
  case Phase::Tiles:
    passes.addPass(createPackParameters());
    passes.addPass(createTileGraph());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    break;
  case Phase::Kernels:
    passes.addPass(cpu::createAssignKernels(kernels));
    passes.addPass(createPlanWorkspace());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    break;
  case Phase::LlvmDialect:
    passes.addPass(createOutlineParallel());
    passes.addPass(createBindArguments());
    // Strided views become arithmetic on base, offset and strides, which makes affine.apply again:
    // so affine goes after.
    passes.addPass(memref::createExpandStridedMetadataPass());
    passes.addPass(createLowerAffinePass());
    passes.addPass(createSCFToControlFlowPass());
    passes.addPass(arith::createArithExpandOpsPass());
    passes.addPass(createArithToLLVMConversionPass());
    passes.addPass(createConvertControlFlowToLLVMPass());
    passes.addPass(createFinalizeMemRefToLLVMConversionPass());
    passes.addPass(createConvertFuncToLLVMPass());
    passes.addPass(createReconcileUnrealizedCastsPass());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    break;
  default:
    break;
  }
}

llvm::Error runPhase(ModuleOp module, Phase phase, cpu::KernelSet &kernels) {
  MLIRContext *context = module.getContext();
  std::string diagnostics;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    diagnostics += (diagnostics.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  PassManager passes(context);
  buildPhase(passes, phase, kernels);
  if (failed(passes.run(module)))
    return llvm::createStringError("phase %s: %s", phaseInfo(phase).name.data(),
                                   diagnostics.c_str());
  return llvm::Error::success();
}

void loadDialects(MLIRContext &context) {
  context.loadDialect<mha::MhaDialect, affine::AffineDialect, arith::ArithDialect,
                      cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect,
                      math::MathDialect, memref::MemRefDialect, scf::SCFDialect>();
}

void registerPasses() {
  registerDecomposeModule();
  registerFuseProjections();
  registerMasksToRegions();
  registerPackParameters();
  registerTileGraph();
  registerAssignKernels();
  registerPlanWorkspace();
  registerOutlineParallel();
  registerBindArguments();
  static cpu::KernelSet ignored; // attune-opt runs passes for their IR alone
  for (Phase phase : {Phase::Graph, Phase::Tiles, Phase::Kernels, Phase::LlvmDialect}) {
    const PhaseInfo &info = phaseInfo(phase);
    PassPipelineRegistration<>(
        ("mha-phase-" + info.name).str(), info.summary,
        [phase](OpPassManager &passes) { buildPhase(passes, phase, ignored); });
  }
}

} // namespace attune
