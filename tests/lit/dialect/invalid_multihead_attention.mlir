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

// -----

func.func @two_weights(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{takes one in_proj weight, or three, found 2}}
  %r = mha.multihead_attention %x, %x, %x in_proj(%w, %w) out_proj(%o) order le {num_heads = 2 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

func.func @weight_of_another_width(%x: tensor<?x8xf32>, %k: tensor<?x6xf32>, %w: tensor<8x8xf32>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{weights of query, key and value must be 8 rows as wide as their input}}
  %r = mha.multihead_attention %x, %k, %x in_proj(%w, %w, %w) out_proj(%o) order le {num_heads = 2 : i64} : (tensor<?x8xf32>, tensor<?x6xf32>, tensor<?x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

func.func @appended_of_another_width(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>, %a: tensor<1x1x4xf32>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{bias_k and bias_v must be 1x1x8}}
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) append(%a, %a) out_proj(%o) order le {num_heads = 2 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<24x8xf32>, tensor<1x1x4xf32>, tensor<1x1x4xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

func.func @padding_of_a_batch_without_one(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>, %p: tensor<?x?xi8>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{key_padding_mask must have rank 1 in order le}}
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) key_padding_mask(%p) order le {num_heads = 2 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>, tensor<?x?xi8>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

func.func @mask_of_rank_four(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>, %m: tensor<1x2x?x?xi8>, %o: tensor<8x8xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{attn_mask must have rank 2 or 3, found 4}}
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) attn_mask(%m) order le {num_heads = 2 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>, tensor<1x2x?x?xi8>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}
