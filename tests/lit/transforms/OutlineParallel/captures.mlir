// RUN: attune-opt %s --mha-outline-parallel | FileCheck %s

// What the loop uses from outside crosses in the closure: an index as i64, a memref as its descriptor.
// CHECK: llvm.func internal @forward_loop_0(%[[CLOSURE:.*]]: !llvm.ptr,
// CHECK: %[[F0:.*]] = llvm.getelementptr %[[CLOSURE]][0, 0]
// CHECK: %[[M:.*]] = llvm.load %[[F0]] : !llvm.ptr -> !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
// CHECK: %[[MEMREF:.*]] = builtin.unrealized_conversion_cast %[[M]] : {{.*}} to memref<?xf32>
// CHECK: %[[F1:.*]] = llvm.getelementptr %[[CLOSURE]][0, 1]
// CHECK: %[[S:.*]] = llvm.load %[[F1]] : !llvm.ptr -> i64
// CHECK: %[[INDEX:.*]] = builtin.unrealized_conversion_cast %[[S]] : i64 to index
// CHECK: func.call @use(%[[MEMREF]], %[[INDEX]])
// CHECK: func.func @forward(%{{.*}}: !llvm.ptr, %{{.*}}: index, %[[ARG:.*]]: memref<?xf32>, %[[SIZE:.*]]: index)
// CHECK: %[[STRUCT:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, i64)>
// CHECK: %[[P0:.*]] = llvm.getelementptr %[[STRUCT]][0, 0]
// CHECK: %[[V0:.*]] = builtin.unrealized_conversion_cast %[[ARG]]
// CHECK: llvm.store %[[V0]], %[[P0]]
// CHECK: %[[P1:.*]] = llvm.getelementptr %[[STRUCT]][0, 1]
// CHECK: %[[V1:.*]] = builtin.unrealized_conversion_cast %[[SIZE]]
// CHECK: llvm.store %[[V1]], %[[P1]]
func.func @forward(%n: index, %m: memref<?xf32>, %s: index) {
  scf.forall (%i) in (%n) {
    func.call @use(%m, %s) : (memref<?xf32>, index) -> ()
  }
  return
}
func.func private @use(memref<?xf32>, index)
