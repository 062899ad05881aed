//===- AssignKernels.td ------------------------------------*- tablegen -*-===//
include "mlir/Pass/PassBase.td"

def AssignKernels : Pass<"mha-assign-kernels", "::mlir::ModuleOp"> {
  let summary = "Gives tiles their buffers and turns tile operations into kernel calls";
  let description = [{
    Expects tile IR and the module attributes `mha.schedule`, `mha.cpu` and `mha.target`. A tile that is
    loaded as plain rows or panels is a view of its memref; accumulators, statistics, probabilities and
    rescale factors get scratch buffers at the head of their parallel loop, once for all tiles of one
    kind. Because accumulators are tied to their operation, no buffer is copied; the statistics ping-pong
    between two buffers, which the kv loops carry.

    Leaves func.call to private declarations, one for each kernel, named after the kernel's specification
    (kernels/Kernel.h). The kernels themselves are generated later from the same specifications.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect"];
}
