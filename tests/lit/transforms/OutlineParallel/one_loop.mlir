// RUN: attune-opt %s --mha-outline-parallel | FileCheck %s

// CHECK: llvm.func internal @forward_loop_0(%{{.*}}: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %[[WORKER:.*]]: i32)
// CHECK-DAG: %[[FIRST:.*]] = builtin.unrealized_conversion_cast %[[BEGIN]] : i64 to index
// CHECK-DAG: %[[LAST:.*]] = builtin.unrealized_conversion_cast %[[END]] : i64 to index
// CHECK-DAG: %[[W:.*]] = arith.index_cast %[[WORKER]] : i32 to index
// CHECK: scf.for %[[I:.*]] = %[[FIRST]] to %[[LAST]] step %c1
// CHECK-NEXT: func.call @use(%[[I]], %[[W]])
// CHECK: llvm.return
// CHECK: func.func @forward(%[[CONTEXT:.*]]: !llvm.ptr, %[[N:.*]]: index)
// CHECK-NOT: scf.forall
// CHECK: %[[CLOSURE:.*]] = llvm.alloca %{{.*}} x !llvm.struct<()>
// CHECK: %[[GRAIN:.*]] = llvm.mlir.constant(1 : i64)
// CHECK: %[[BODY:.*]] = llvm.mlir.addressof @forward_loop_0
// CHECK: %[[COUNT:.*]] = builtin.unrealized_conversion_cast %[[N]] : index to i64
// CHECK: llvm.call @attune_parallel_for(%[[CONTEXT]], %[[COUNT]], %[[GRAIN]], %[[BODY]], %[[CLOSURE]])
// CHECK: llvm.func @attune_parallel_for(!llvm.ptr, i64, i64, !llvm.ptr, !llvm.ptr)
func.func @forward(%n: index) {
  scf.forall (%i) in (%n) {
    %w = mha.worker
    func.call @use(%i, %w) : (index, index) -> ()
  }
  return
}
func.func private @use(index, index)
