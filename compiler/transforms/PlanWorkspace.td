//===- PlanWorkspace.td ------------------------------------*- tablegen -*-===//
include "mlir/Pass/PassBase.td"

def PlanWorkspace : Pass<"mha-plan-workspace", "::mlir::ModuleOp"> {
  let summary = "Places every temporary in one workspace and says how large that is";
  let description = [{
    `forward` gains a workspace argument and the number of workers. Buffers that a parallel loop
    allocates are slices of a scratch area, one a worker, which all loops share since they run one after
    the other. Buffers between loops follow, each aligned to 64 bytes. The new function `workspace_size`
    computes the same sum from N, L, S and the number of workers, and -1 for a sum of 2^60 bytes or more,
    which it knows by adding up in float64 too.

    Before:
    ```mlir
    func.func @forward(%out: memref<?x8xf32>, %n: index, %l: index, %s: index) {
      %t = memref.alloc(%l) {alignment = 64 : i64} : memref<?x8xf32>
      scf.forall (%i) in (%l) {
        %b = memref.alloc() {alignment = 64 : i64} : memref<6xf32>
        func.call @use(%t, %b) : (memref<?x8xf32>, memref<6xf32>) -> ()
      }
      return
    }
    func.func private @use(memref<?x8xf32>, memref<6xf32>)
    ```
    After:
    ```mlir
    func.func @workspace_size(%n: index, %l: index, %s: index, %workers: index) -> index {
      %scratch = affine.apply affine_map<(d0) -> (d0 * 64)>(%workers)
      %end = affine.apply affine_map<(d0, d1) -> (d0 + ((d1 * 32) ceildiv 64) * 64)>(%scratch, %l)
      %0 = arith.index_cast %workers : index to i64
      %1 = arith.sitofp %0 : i64 to f64
      %2 = arith.constant 64.0 : f64
      %3 = arith.mulf %1, %2 : f64
      %4 = arith.constant 32.0 : f64
      %5 = arith.index_cast %l : index to i64
      %6 = arith.sitofp %5 : i64 to f64
      %7 = arith.mulf %4, %6 : f64
      %8 = arith.addf %3, %7 : f64
      %largest = arith.constant 1.152921504606846976E+18 : f64
      %fits = arith.cmpf olt, %8, %largest : f64
      %refused = arith.constant -1 : index
      %size = arith.select %fits, %end, %refused : index
      return %size : index
    }
    func.func @forward(%out: memref<?x8xf32>, %n: index, %l: index, %s: index, %workspace: memref<?xi8>, %workers: index) {
      %scratch = affine.apply affine_map<(d0) -> (d0 * 64)>(%workers)
      %t = memref.view %workspace[%scratch][%l] : memref<?xi8> to memref<?x8xf32>
      %end = affine.apply affine_map<(d0, d1) -> (d0 + ((d1 * 32) ceildiv 64) * 64)>(%scratch, %l)
      scf.forall (%i) in (%l) {
        %w = mha.worker
        %slice = affine.apply affine_map<(d0) -> (d0 * 64)>(%w)
        %b = memref.view %workspace[%slice][] : memref<?xi8> to memref<6xf32>
        func.call @use(%t, %b) : (memref<?x8xf32>, memref<6xf32>) -> ()
      }
      return
    }
    func.func private @use(memref<?x8xf32>, memref<6xf32>)
    ```
  }];
  let dependentDialects = ["::attune::mha::MhaDialect", "::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect"];
}
