// RUN: attune-opt %s --mha-decompose-module | FileCheck %s

// What concerns scores goes to mha.attention as it is; its second result is the module's.
// CHECK: %[[OUT:.*]], %[[WEIGHTS:.*]] = mha.attention {{.*}} key_padding_mask(%arg3) scale 5.000000e-01 {average_weights}
// CHECK-SAME: -> (tensor<?x2x?x4xf32>, tensor<?x?x?xf32>) score {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32,
// CHECK-NEXT: arith.negf %[[S]]
// CHECK: return %{{.*}}, %[[WEIGHTS]]
func.func @forward(%x: tensor<?x?x8xf32>, %w: tensor<24x8xf32>, %o: tensor<8x8xf32>, %p: tensor<?x?xi8>) -> (tensor<?x?x8xf32>, tensor<?x?x?xf32>) {
  %r, %weights = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) key_padding_mask(%p) order nle {average_weights, num_heads = 2 : i64}
    : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>, tensor<?x?xi8>) -> (tensor<?x?x8xf32>, tensor<?x?x?xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %n = arith.negf %s : f32
    mha.yield %n : f32
  }
  return %r, %weights : tensor<?x?x8xf32>, tensor<?x?x?xf32>
}
