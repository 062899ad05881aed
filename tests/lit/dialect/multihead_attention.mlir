// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @with_everything
// CHECK: mha.multihead_attention %arg0, %arg0, %arg0 in_proj(%arg1 bias %arg2) out_proj(%arg3 bias %arg4)
// CHECK-SAME: attn_mask(%arg5) order lne {is_causal, nan_masked_rows, num_heads = 2 : i64}
func.func @with_everything(%x: tensor<?x?x8xf32>, %w: tensor<24x8xf32>, %b: tensor<24xf32>,
                           %o: tensor<8x8xf32>, %p: tensor<8xf32>,
                           %m: tensor<?x?xi8>) -> tensor<?x?x8xf32> {
  %r = mha.multihead_attention %x, %x, %x in_proj(%w bias %b) out_proj(%o bias %p) attn_mask(%m) order lne
    {num_heads = 2 : i64, is_causal, nan_masked_rows}
    : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<24x8xf32>, tensor<24xf32>,
       tensor<8x8xf32>, tensor<8xf32>, tensor<?x?xi8>) -> tensor<?x?x8xf32>
  return %r : tensor<?x?x8xf32>
}

// CHECK-LABEL: @with_nothing
// CHECK: mha.multihead_attention %arg0, %arg0, %arg0 in_proj(%arg1) out_proj(%arg2) order le {num_heads = 2 : i64}
func.func @with_nothing(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order le {num_heads = 2 : i64}
    : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>)
    -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}
