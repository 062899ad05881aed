// RUN: attune-opt %s --mha-decompose-module | FileCheck %s

// Order lne: 7 is the target length, 3 the batch, 5 the source length.
// CHECK: mha.split_heads %{{.*}} order lne first 0 : tensor<7x3x8xf32> -> tensor<3x2x7x4xf32>
// CHECK: mha.split_heads %{{.*}} order lne first 0 : tensor<5x3x8xf32> -> tensor<3x2x5x4xf32>
// CHECK: mha.split_heads %{{.*}} order lne first 0 : tensor<5x3x8xf32> -> tensor<3x2x5x4xf32>
// CHECK: mha.attention {{.*}} -> tensor<3x2x7x4xf32>
func.func @forward(%q: tensor<7x3x8xf32>, %k: tensor<5x3x8xf32>, %v: tensor<5x3x8xf32>,
                   %w: tensor<24x8xf32>, %o: tensor<8x8xf32>) -> tensor<7x3x8xf32> {
  %r = mha.multihead_attention %q, %k, %v in_proj(%w) out_proj(%o) order lne {num_heads = 2 : i64}
    : (tensor<7x3x8xf32>, tensor<5x3x8xf32>, tensor<5x3x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>)
    -> tensor<7x3x8xf32>
  return %r : tensor<7x3x8xf32>
}
