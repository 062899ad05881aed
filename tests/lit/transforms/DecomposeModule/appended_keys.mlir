// RUN: attune-opt %s --mha-decompose-module | FileCheck %s

// bias_k and bias_v are not projected; the zeros of add_zero_attn stand behind them: two keys a head.
// CHECK-LABEL: @both
// CHECK: %[[K:.*]] = mha.appended %arg2 : tensor<1x1x8xf32> -> tensor<2x2x4xf32>
// CHECK: %[[V:.*]] = mha.appended %arg3 : tensor<1x1x8xf32> -> tensor<2x2x4xf32>
// CHECK: mha.attention %{{.*}}, %{{.*}}, %{{.*}} append(%[[K]], %[[V]]) scale
func.func @both(%x: tensor<?x?x8xf32>, %w: tensor<24x8xf32>, %bk: tensor<1x1x8xf32>, %bv: tensor<1x1x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x?x8xf32> {
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) append(%bk, %bv) out_proj(%o) order nle {add_zero_attn, num_heads = 2 : i64}
    : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<24x8xf32>, tensor<1x1x8xf32>, tensor<1x1x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  return %r : tensor<?x?x8xf32>
}

// CHECK-LABEL: @zeros_alone
// CHECK: %[[K:.*]] = mha.appended -> tensor<2x1x4xf32>
// CHECK: %[[V:.*]] = mha.appended -> tensor<2x1x4xf32>
// CHECK: mha.attention {{.*}} append(%[[K]], %[[V]])
func.func @zeros_alone(%x: tensor<?x?x8xf32>, %w: tensor<24x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x?x8xf32> {
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order nle {add_zero_attn, num_heads = 2 : i64}
    : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  return %r : tensor<?x?x8xf32>
}
