//===- OutlineParallel.td ----------------------------------*- tablegen -*-===//
include "mlir/Pass/PassBase.td"

def OutlineParallel : Pass<"mha-outline-parallel", "::mlir::ModuleOp"> {
  let summary = "Turns parallel loops into functions that the context's workers run";
  let description = [{
    Every scf.forall becomes a function body(closure, begin, end, worker) over a range of its linearised
    iterations, and a call of attune_parallel_for (attune/attune.h). The closure is a struct on the
    caller's stack that holds what the loop uses from outside; constants are rebuilt inside. Functions
    gain the context as their first argument.

    The conversion to the LLVM dialect has not happened yet: values that are not of that dialect cross
    the closure through builtin.unrealized_conversion_cast, which the last phase reconciles.

    Before:
    ```mlir
    func.func @forward(%n: index) {
      scf.forall (%i) in (%n) {
        %w = mha.worker
        func.call @use(%i, %w) : (index, index) -> ()
      }
      return
    }
    func.func private @use(index, index)
    ```
    After (checked by tests/lit/transforms/OutlineParallel/one_loop.mlir).
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}
