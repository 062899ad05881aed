// RUN: attune-opt %s --mha-pack-parameters -verify-diagnostics -split-input-file

// expected-error@+1 {{module attribute mha.schedule needs an integer 'query_tile'}}
module {
  func.func @forward(%x: tensor<?x8xf32>, %w: tensor<8x8xf32> {mha.parameter = "w"}) -> tensor<?x8xf32> {
    %0 = mha.project %x, %w first 0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    return %0 : tensor<?x8xf32>
  }
}

// -----

// expected-error@+1 {{mha.schedule needs pack_value "as_is" or "per_head"}}
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "transposed"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x8xf32>, %w: tensor<8x8xf32> {mha.parameter = "w"}) -> tensor<?x8xf32> {
    %0 = mha.project %x, %w first 0 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    return %0 : tensor<?x8xf32>
  }
}
