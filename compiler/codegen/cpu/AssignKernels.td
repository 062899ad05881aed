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

    Before:
    ```mlir
    module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
      func.func @f(%from: memref<?x48xf32>, %to: memref<?x48x64xf32>, %i: index, %n: index) {
        %c0 = arith.constant 0 : index
        mha.pack panel %from[%i, %c0] count %n into %to[%i, %c0, %c0] : memref<?x48xf32>, memref<?x48x64xf32>
        return
      }
    }
    ```
    After (checked by tests/lit/codegen/cpu/AssignKernels/pack_panel.mlir).
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect"];
}
