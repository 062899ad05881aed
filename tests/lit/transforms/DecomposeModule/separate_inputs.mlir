// RUN: attune-opt %s --mha-decompose-module | FileCheck %s

// Query, key and value read their own input, and rows q, k, v of in_proj_weight.
// CHECK-LABEL: @forward
// CHECK: %[[Q:.*]] = mha.project %arg0, %arg3 first 0
// CHECK: %[[QH:.*]] = mha.split_heads %[[Q]]
// CHECK: %[[K:.*]] = mha.project %arg1, %arg3 first 8
// CHECK: %[[KH:.*]] = mha.split_heads %[[K]]
// CHECK: %[[V:.*]] = mha.project %arg2, %arg3 first 16
// CHECK: %[[VH:.*]] = mha.split_heads %[[V]]
// CHECK: mha.attention %[[QH]], %[[KH]], %[[VH]] scale 5.000000e-01 :
func.func @forward(%q: tensor<?x?x8xf32>, %k: tensor<?x?x8xf32>, %v: tensor<?x?x8xf32>,
                   %w: tensor<24x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x?x8xf32> {
  %r = mha.multihead_attention %q, %k, %v in_proj(%w) out_proj(%o) order nle {num_heads = 2 : i64}
    : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>)
    -> tensor<?x?x8xf32>
  return %r : tensor<?x?x8xf32>
}
