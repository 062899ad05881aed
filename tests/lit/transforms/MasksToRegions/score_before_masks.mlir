// RUN: attune-opt %s --mha-masks-to-regions | FileCheck %s

// The caller's score comes first, masks apply to it: a score never brings a hidden key back. Appended keys pass by.
// CHECK: %{{.*}}, %{{.*}} = mha.attend %arg0, %arg0, %arg0 append(%arg3, %arg3) scale 5.000000e-01 {nan_masked_rows}
// CHECK-SAME: score {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32,
// CHECK-NEXT:   %[[OWN:.*]] = math.tanh %[[S]]
// CHECK-NEXT:   %[[M:.*]] = mha.element %arg1
// CHECK-NEXT:   %[[MASKED:.*]] = arith.addf %[[OWN]], %[[M]]
// CHECK-NEXT:   %[[P:.*]] = mha.element %arg2
// CHECK-NEXT:   %[[PADDED:.*]] = arith.addf %[[MASKED]], %[[P]]
// CHECK-NEXT:   mha.yield %[[PADDED]]
// CHECK-NEXT: } keep {
func.func @forward(%q: tensor<?x2x?x4xf32>, %m: tensor<?x?xf32>, %p: tensor<?x?xf32>, %a: tensor<2x1x4xf32>) -> (tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>) {
  %0, %w = mha.attention %q, %q, %q append(%a, %a) attn_mask(%m) key_padding_mask(%p) scale 5.000000e-01 {nan_masked_rows}
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<2x1x4xf32>, tensor<2x1x4xf32>, tensor<?x?xf32>, tensor<?x?xf32>)
    -> (tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %t = math.tanh %s : f32
    mha.yield %t : f32
  }
  return %0, %w : tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>
}
