// RUN: attune-opt %s --mha-outline-parallel | FileCheck %s

// One range of a * 3 * c iterations; the last index runs fastest. The closure holds all sizes but the
// first.
// CHECK: llvm.func internal @forward_loop_0(%[[CLOSURE:.*]]: !llvm.ptr,
// CHECK: %[[P0:.*]] = llvm.getelementptr %[[CLOSURE]][0, 0]
// CHECK: %[[L0:.*]] = llvm.load %[[P0]]
// CHECK: %[[B:.*]] = builtin.unrealized_conversion_cast %[[L0]] : i64 to index
// CHECK: %[[P1:.*]] = llvm.getelementptr %[[CLOSURE]][0, 1]
// CHECK: %[[L1:.*]] = llvm.load %[[P1]]
// CHECK: %[[C:.*]] = builtin.unrealized_conversion_cast %[[L1]] : i64 to index
// CHECK: scf.for %[[AT:.*]] =
// CHECK: %[[K:.*]] = arith.remui %[[AT]], %[[C]]
// CHECK: %[[REST:.*]] = arith.divui %[[AT]], %[[C]]
// CHECK: %[[J:.*]] = arith.remui %[[REST]], %[[B]]
// CHECK: %[[I:.*]] = arith.divui %[[REST]], %[[B]]
// CHECK: func.call @use(%[[I]], %[[J]], %[[K]])
// CHECK: func.func @forward(%{{.*}}: !llvm.ptr, %[[A:.*]]: index, %[[D:.*]]: index)
// CHECK: %[[AB:.*]] = arith.muli %[[A]], %c3
// CHECK: %[[ABC:.*]] = arith.muli %[[AB]], %[[D]]
// CHECK: %[[COUNT:.*]] = builtin.unrealized_conversion_cast %[[ABC]] : index to i64
// CHECK: llvm.call @attune_parallel_for(%{{.*}}, %[[COUNT]],
func.func @forward(%a: index, %c: index) {
  scf.forall (%i, %j, %k) in (%a, 3, %c) {
    func.call @use(%i, %j, %k) : (index, index, index) -> ()
  }
  return
}
func.func private @use(index, index, index)
