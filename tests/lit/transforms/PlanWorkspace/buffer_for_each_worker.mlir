// RUN: attune-opt %s --mha-plan-workspace | FileCheck %s

// The number of workers may be an extent: it is the last argument.
// CHECK: func.func @workspace_size(%{{.*}}: index, %{{.*}}: index, %[[S:.*]]: index, %[[WORKERS:.*]]: index) -> index
// CHECK: arith.muli %[[WORKERS]], %[[S]]
// CHECK: func.func @forward(%{{.*}}: index, %{{.*}}: index, %[[S:.*]]: index, %[[SPACE:.*]]: memref<?xi8>, %[[WORKERS:.*]]: index)
// CHECK: memref.view %[[SPACE]][%{{.*}}][%[[WORKERS]], %[[S]]] : memref<?xi8> to memref<?x6x?xf32>
func.func @forward(%n: index, %l: index, %s: index) {
  %workers = mha.workers
  %rows = memref.alloc(%workers, %s) {alignment = 64 : i64} : memref<?x6x?xf32>
  return
}
