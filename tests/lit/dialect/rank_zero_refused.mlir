// RUN: attune-opt %s -verify-diagnostics -split-input-file

func.func @query(%x: tensor<f32>, %w: tensor<24x8xf32>, %o: tensor<8x8xf32>) -> tensor<f32> {
  // expected-error-re@+1 {{{{.+}}}}
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order le {num_heads = 2 : i64} : (tensor<f32>, tensor<f32>, tensor<f32>, tensor<24x8xf32>, tensor<8x8xf32>) -> tensor<f32>
  return %r : tensor<f32>
}

// -----

func.func @x(%x: tensor<f32>, %w: tensor<24x8xf32>) -> tensor<f32> {
  // expected-error-re@+1 {{{{.+}}}}
  %r = mha.project %x, %w first 0 : (tensor<f32>, tensor<24x8xf32>) -> tensor<f32>
  return %r : tensor<f32>
}
