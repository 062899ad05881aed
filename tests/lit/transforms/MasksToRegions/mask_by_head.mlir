// RUN: attune-opt %s --mha-masks-to-regions | FileCheck %s

// The first index of a mask (N * H, L, S) is b * H + h.
// CHECK: keep {
// CHECK-NEXT: ^bb0(%[[B:.*]]: index, %[[H:.*]]: index, %[[I:.*]]: index, %[[J:.*]]: index):
// CHECK-NEXT:   %[[HEADS:.*]] = arith.constant 2 : index
// CHECK-NEXT:   %[[FIRST:.*]] = arith.muli %[[B]], %[[HEADS]]
// CHECK-NEXT:   %[[ROW:.*]] = arith.addi %[[FIRST]], %[[H]]
// CHECK-NEXT:   mha.element %arg1[%[[ROW]], %[[I]], %[[J]]] : tensor<?x?x?xi8> -> i8
func.func @forward(%q: tensor<?x2x?x4xf32>, %m: tensor<?x?x?xi8>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q attn_mask(%m) scale 5.000000e-01
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x?x?xi8>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}
