// RUN: attune-opt %s --mha-plan-workspace --canonicalize | FileCheck %s

// 100 floats take 448 bytes of whole cache lines; a dynamic size is rounded up at run time, after the
// product of its extents. No scratch: the first temporary lies at 0.
// CHECK-DAG: #[[SIZE:.*]] = affine_map<()[s0] -> ((s0 ceildiv 16) * 64 + 512)>
// CHECK: func.func @workspace_size(%{{.*}}: index, %[[L:.*]]: index, %[[S:.*]]: index, %{{.*}}: index) -> index
// CHECK: %[[PRODUCT:.*]] = arith.muli %[[L]], %[[S]]
// CHECK: %[[BYTES:.*]] = affine.apply #[[SIZE]]()[%[[PRODUCT]]]
// CHECK: return %[[BYTES]]
// CHECK: func.func @forward({{.*}}, %[[WORKSPACE:.*]]: memref<?xi8>, %{{.*}}: index)
// CHECK: memref.view %[[WORKSPACE]][%c0][] : memref<?xi8> to memref<100xf32>
// CHECK: memref.view %[[WORKSPACE]][%c448][%{{.*}}, %{{.*}}] : memref<?xi8> to memref<?x?xf32>
// CHECK: memref.view %[[WORKSPACE]][%{{.*}}][] : memref<?xi8> to memref<3xi8>
func.func @forward(%n: index, %l: index, %s: index) {
  %a = memref.alloc() {alignment = 64 : i64} : memref<100xf32>
  %b = memref.alloc(%l, %s) {alignment = 64 : i64} : memref<?x?xf32>
  %c = memref.alloc() {alignment = 64 : i64} : memref<3xi8>
  func.call @use(%a, %b, %c) : (memref<100xf32>, memref<?x?xf32>, memref<3xi8>) -> ()
  return
}
func.func private @use(memref<100xf32>, memref<?x?xf32>, memref<3xi8>)
