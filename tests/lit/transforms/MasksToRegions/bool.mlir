// RUN: attune-opt %s --mha-masks-to-regions | FileCheck %s

// A bool mask forbids where it is not zero.
// CHECK-NOT: score
// CHECK: keep {
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %[[I:.*]]: index, %[[J:.*]]: index):
// CHECK:        %[[M:.*]] = mha.element %arg1[%[[I]], %[[J]]] : tensor<?x?xi8> -> i8
// CHECK:        %[[SEEN:.*]] = arith.cmpi eq, %[[M]], %c0_i8 : i8
// CHECK-NEXT:   mha.yield %[[SEEN]] : i1
func.func @forward(%q: tensor<?x2x?x4xf32>, %m: tensor<?x?xi8>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q attn_mask(%m) scale 5.000000e-01
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x?xi8>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}
