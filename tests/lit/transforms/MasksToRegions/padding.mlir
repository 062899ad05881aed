// RUN: attune-opt %s --mha-masks-to-regions | FileCheck %s

// CHECK-LABEL: @bytes
// CHECK-NOT: score
// CHECK: keep {
// CHECK-NEXT: ^bb0(%[[B:.*]]: index, %{{.*}}: index, %{{.*}}: index, %[[J:.*]]: index):
// CHECK:        %[[P:.*]] = mha.element %arg1[%[[B]], %[[J]]] : tensor<?x?xi8> -> i8
// CHECK:        arith.cmpi eq, %[[P]], %c0_i8 : i8
func.func @bytes(%q: tensor<?x2x?x4xf32>, %p: tensor<?x?xi8>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q key_padding_mask(%p) scale 5.000000e-01
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x?xi8>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}

// A float padding is added, and hides where it is -inf: what a padded key holds must not be looked at.
// CHECK-LABEL: @floats_without_a_batch
// CHECK: score {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[J:.*]]: index):
// CHECK-NEXT:   %[[P:.*]] = mha.element %arg1[%[[J]]] : tensor<?xf32> -> f32
// CHECK-NEXT:   arith.addf %[[S]], %[[P]]
// CHECK: } keep {
// CHECK: %[[E:.*]] = mha.element %arg1[%{{.*}}] : tensor<?xf32> -> f32
// CHECK: %[[HIDDEN:.*]] = arith.constant 0xFF800000 : f32
// CHECK: arith.cmpf une, %[[E]], %[[HIDDEN]]
func.func @floats_without_a_batch(%q: tensor<1x2x?x4xf32>, %p: tensor<?xf32>) -> tensor<1x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q key_padding_mask(%p) scale 5.000000e-01
    : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<?xf32>) -> tensor<1x2x?x4xf32>
  return %0 : tensor<1x2x?x4xf32>
}
