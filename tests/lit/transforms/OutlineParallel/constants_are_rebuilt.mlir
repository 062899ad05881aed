// RUN: attune-opt %s --mha-outline-parallel | FileCheck %s

// CHECK: llvm.func internal @forward_loop_0
// CHECK-NOT: llvm.load
// CHECK: scf.for
// CHECK-DAG: %[[I:.*]] = arith.constant 7 : index
// CHECK-DAG: %[[F:.*]] = arith.constant 2.500000e+00 : f32
// CHECK: func.call @use(%[[I]], %[[F]])
// CHECK: func.func @forward
// CHECK: llvm.alloca %{{.*}} x !llvm.struct<()>
func.func @forward(%n: index) {
  %c7 = arith.constant 7 : index
  %f = arith.constant 2.5 : f32
  scf.forall (%i) in (%n) {
    func.call @use(%c7, %f) : (index, f32) -> ()
  }
  return
}
func.func private @use(index, f32)
