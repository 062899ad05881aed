// RUN: attune-opt %s --mha-decompose-module | FileCheck %s

// Order le has no batch: the heads have N = 1.
// CHECK: mha.split_heads %{{.*}} order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
// CHECK: mha.attention {{.*}} -> tensor<1x2x?x4xf32>
// CHECK: mha.merge_heads %{{.*}} order le : tensor<1x2x?x4xf32> -> tensor<?x8xf32>
func.func @forward(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order le {num_heads = 2 : i64}
    : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}
