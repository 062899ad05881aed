// RUN: attune-opt %s --mha-decompose-module | FileCheck %s

// Weights of their own start at row 0; the bias of all three is one.
// CHECK: mha.project %arg0, %arg3 bias %arg6 first 0 : (tensor<?x?x8xf32>, tensor<8x8xf32>, tensor<24xf32>)
// CHECK: mha.project %arg1, %arg4 bias %arg6 first 0 {bias_first = 8 : i64} : (tensor<?x?x6xf32>, tensor<8x6xf32>, tensor<24xf32>) -> tensor<?x?x8xf32>
// CHECK: mha.project %arg2, %arg5 bias %arg6 first 0 {bias_first = 16 : i64} : (tensor<?x?x4xf32>, tensor<8x4xf32>, tensor<24xf32>) -> tensor<?x?x8xf32>
func.func @forward(%q: tensor<?x?x8xf32>, %k: tensor<?x?x6xf32>, %v: tensor<?x?x4xf32>, %wq: tensor<8x8xf32>, %wk: tensor<8x6xf32>,
                   %wv: tensor<8x4xf32>, %b: tensor<24xf32>, %o: tensor<8x8xf32>) -> tensor<?x?x8xf32> {
  %r = mha.multihead_attention %q, %k, %v in_proj(%wq, %wk, %wv bias %b) out_proj(%o) order nle {num_heads = 2 : i64}
    : (tensor<?x?x8xf32>, tensor<?x?x6xf32>, tensor<?x?x4xf32>, tensor<8x8xf32>, tensor<8x6xf32>, tensor<8x4xf32>, tensor<24xf32>,
       tensor<8x8xf32>) -> tensor<?x?x8xf32>
  return %r : tensor<?x?x8xf32>
}
