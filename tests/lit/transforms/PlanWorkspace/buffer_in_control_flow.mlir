// RUN: attune-opt %s --mha-plan-workspace | FileCheck %s

// What is left of a parallel loop of one iteration has its buffer at the head of the function, where
// it is placed like a temporary.
// CHECK: func.func @forward(%{{.*}}: index, %{{.*}}: index, %[[S:.*]]: index, %[[SPACE:.*]]: memref<?xi8>, %{{.*}}: index)
// CHECK: %[[BUFFER:.*]] = memref.view %[[SPACE]][%{{.*}}][] : memref<?xi8> to memref<6xf32>
// CHECK: scf.if
// CHECK-NEXT: scf.for
// CHECK-NEXT: func.call @use(%[[BUFFER]])
// CHECK-NOT: memref.alloc
func.func @forward(%n: index, %l: index, %s: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %few = arith.cmpi slt, %l, %s : index
  scf.if %few {
    scf.for %i = %zero to %s step %one {
      %b = memref.alloc() {alignment = 64 : i64} : memref<6xf32>
      func.call @use(%b) : (memref<6xf32>) -> ()
    }
  }
  return
}
func.func private @use(memref<6xf32>)
