// RUN: attune-opt %s --mha-masks-to-regions | FileCheck %s

// CHECK: score {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %[[I:.*]]: index, %[[J:.*]]: index):
// CHECK-NEXT:   %[[M:.*]] = mha.element %arg1[%[[I]], %[[J]]] : tensor<?x?xf32> -> f32
// CHECK-NEXT:   %[[SUM:.*]] = arith.addf %[[S]], %[[M]] : f32
// CHECK-NEXT:   mha.yield %[[SUM]] : f32
// CHECK-NEXT: }
// CHECK-NOT: keep
func.func @forward(%q: tensor<?x2x?x4xf32>, %m: tensor<?x?xf32>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q attn_mask(%m) scale 5.000000e-01
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x?xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}
