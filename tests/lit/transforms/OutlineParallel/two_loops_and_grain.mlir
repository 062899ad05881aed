// RUN: attune-opt %s --mha-outline-parallel | FileCheck %s

// Loops are numbered function by function; the grain is the schedule's; one declaration serves all.
// CHECK-DAG: llvm.func internal @pack_loop_0
// CHECK-DAG: llvm.func internal @forward_loop_0
// CHECK-DAG: llvm.func internal @forward_loop_1
// CHECK-DAG: llvm.mlir.constant(4 : i64)
// CHECK: llvm.func @attune_parallel_for
// CHECK-NOT: llvm.func @attune_parallel_for
module attributes {mha.schedule = {grain = 4}} {
  func.func @pack(%n: index) {
    scf.forall (%i) in (%n) {
      func.call @use(%i) : (index) -> ()
    }
    return
  }
  func.func @forward(%n: index) {
    scf.forall (%i) in (%n) {
      func.call @use(%i) : (index) -> ()
    }
    scf.forall (%i) in (%n) {
      func.call @use(%i) : (index) -> ()
    }
    return
  }
  func.func private @use(index)
}
