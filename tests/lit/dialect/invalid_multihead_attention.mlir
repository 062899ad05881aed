// RUN: attune-opt %s -verify-diagnostics -split-input-file

func.func @heads_do_not_divide(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{embed_dim 8 must be static and divisible by num_heads 3}}
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order le {num_heads = 3 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

func.func @no_heads(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{must be static and divisible by num_heads 0}}
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order le {num_heads = 0 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

func.func @dynamic_embed_dim(%x: tensor<?x?xf32>, %w: tensor<24x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x?xf32> {
  // expected-error@+1 {{must be static and divisible by num_heads 2}}
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order le {num_heads = 2 : i64} : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<24x8xf32>, tensor<8x8xf32>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

func.func @query_rows_alone(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{in_proj_weight must be 24x8}}
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order le {num_heads = 2 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}
