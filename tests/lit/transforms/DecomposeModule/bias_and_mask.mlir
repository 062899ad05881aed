// RUN: attune-opt %s --mha-decompose-module | FileCheck %s

// The mask, is_causal and nan_masked_rows go to the attention, the biases to their projections.
// CHECK-LABEL: @forward
// CHECK-NOT: mha.multihead_attention
// CHECK: mha.project %arg0, %arg1 bias %arg2 first 0
// CHECK: mha.project %arg0, %arg1 bias %arg2 first 8
// CHECK: mha.project %arg0, %arg1 bias %arg2 first 16
// CHECK: mha.attention %{{.*}}, %{{.*}}, %{{.*}} attn_mask(%arg5) scale 5.000000e-01 {is_causal, nan_masked_rows}
// CHECK: %[[MERGED:.*]] = mha.merge_heads %{{.*}} order nle
// CHECK: %[[OUT:.*]] = mha.project %[[MERGED]], %arg3 bias %arg4 first 0
// CHECK: return %[[OUT]]
func.func @forward(%x: tensor<?x?x8xf32>, %w: tensor<24x8xf32>, %b: tensor<24xf32>, %o: tensor<8x8xf32>,
                   %p: tensor<8xf32>, %m: tensor<?x?xf32>) -> tensor<?x?x8xf32> {
  %r = mha.multihead_attention %x, %x, %x in_proj(%w bias %b) out_proj(%o bias %p) attn_mask(%m) order nle
    {num_heads = 2 : i64, is_causal, nan_masked_rows}
    : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<24x8xf32>, tensor<24xf32>,
       tensor<8x8xf32>, tensor<8xf32>, tensor<?x?xf32>) -> tensor<?x?x8xf32>
  return %r : tensor<?x?x8xf32>
}
