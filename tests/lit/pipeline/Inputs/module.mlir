// Self attention with biases, a bool mask and is_causal: every pass has something to do.
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 12, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 1, projection_block_rows = 8, projection_block_vectors = 3, projection_rows = 16, projection_depth = 8, weight_panel = 48, exp2_degree = 6, grain = 2, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x?x32xf32> {mha.input = "query"}, %m: tensor<?x?xi8> {mha.input = "attn_mask"},
                     %w: tensor<96x32xf32> {mha.parameter = "in_proj_weight"}, %b: tensor<96xf32> {mha.parameter = "in_proj_bias"},
                     %o: tensor<32x32xf32> {mha.parameter = "out_proj.weight"}, %p: tensor<32xf32> {mha.parameter = "out_proj.bias"})
      -> tensor<?x?x32xf32> {
    %r = mha.multihead_attention %x, %x, %x in_proj(%w bias %b) out_proj(%o bias %p) attn_mask(%m) order nle {num_heads = 2 : i64, is_causal}
      : (tensor<?x?x32xf32>, tensor<?x?x32xf32>, tensor<?x?x32xf32>, tensor<96x32xf32>, tensor<96xf32>, tensor<32x32xf32>,
         tensor<32xf32>, tensor<?x?xi8>) -> tensor<?x?x32xf32>
    return %r : tensor<?x?x32xf32>
  }
}
