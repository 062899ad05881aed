// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @everything
// CHECK: %result, %weights = mha.multihead_attention %arg0, %arg1, %arg2 in_proj(%arg3, %arg4, %arg5 bias %arg6) append(%arg7, %arg7)
// CHECK-SAME: out_proj(%arg8) attn_mask(%arg9) key_padding_mask(%arg10) order nle {add_zero_attn, average_weights, num_heads = 2 : i64}
// CHECK-SAME: -> (tensor<?x?x8xf32>, tensor<?x?x?xf32>) score {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index):
// CHECK-NEXT: %{{.*}} = mha.size target
// CHECK-NEXT: %{{.*}} = mha.size source
// CHECK-NEXT: mha.yield %[[S]] : f32
func.func @everything(%q: tensor<?x?x8xf32>, %k: tensor<?x?x6xf32>, %v: tensor<?x?x4xf32>, %wq: tensor<8x8xf32>, %wk: tensor<8x6xf32>,
                      %wv: tensor<8x4xf32>, %b: tensor<24xf32>, %kv: tensor<1x1x8xf32>, %o: tensor<8x8xf32>,
                      %m: tensor<?x?x?xi8>, %p: tensor<?x?xf32>) -> (tensor<?x?x8xf32>, tensor<?x?x?xf32>) {
  %r, %w = mha.multihead_attention %q, %k, %v in_proj(%wq, %wk, %wv bias %b) append(%kv, %kv) out_proj(%o)
    attn_mask(%m) key_padding_mask(%p) order nle {num_heads = 2 : i64, add_zero_attn, average_weights}
    : (tensor<?x?x8xf32>, tensor<?x?x6xf32>, tensor<?x?x4xf32>, tensor<8x8xf32>, tensor<8x6xf32>, tensor<8x4xf32>, tensor<24xf32>,
       tensor<1x1x8xf32>, tensor<1x1x8xf32>, tensor<8x8xf32>, tensor<?x?x?xi8>, tensor<?x?xf32>)
    -> (tensor<?x?x8xf32>, tensor<?x?x?xf32>) score {
  ^bb0(%s: f32, %b0: index, %h: index, %i: index, %j: index):
    %l = mha.size target
    %n = mha.size source
    mha.yield %s : f32
  }
  return %r, %w : tensor<?x?x8xf32>, tensor<?x?x?xf32>
}
