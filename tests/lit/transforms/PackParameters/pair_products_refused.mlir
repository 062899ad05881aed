// RUN: attune-opt %s --mha-pack-parameters --verify-diagnostics

// expected-error @+1 {{mha.cpu: pair_products must be "none", "vectors" or "tiles"}}
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "quads"}} {
  func.func @forward(%x: tensor<?x40xbf16> {mha.input = "query"}, %w: tensor<96x40xbf16> {mha.parameter = "w"}) -> tensor<?x96xbf16> {
    %0 = mha.project %x, %w first 0 : (tensor<?x40xbf16>, tensor<96x40xbf16>) -> tensor<?x96xbf16>
    return %0 : tensor<?x96xbf16>
  }
}
