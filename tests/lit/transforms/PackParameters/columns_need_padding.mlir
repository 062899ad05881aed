// RUN: attune-opt %s --mha-pack-parameters | FileCheck %s

// 24 columns take two panels of 16; the bias is padded alike.
// CHECK: mha.pack_weight %arg0 first 0 columns 24 : tensor<24x8xf32> -> tensor<2x8x16xf32>
// CHECK: mha.pack_bias %arg1 first 0 columns 24 : tensor<24xf32> -> tensor<32xf32>
// CHECK: mha.project {{.*}} -> tensor<?x24xf32>
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x8xf32> {mha.input = "query"}, %w: tensor<24x8xf32> {mha.parameter = "w"},
                     %b: tensor<24xf32> {mha.parameter = "b"}) -> tensor<?x24xf32> {
    %0 = mha.project %x, %w bias %b first 0 : (tensor<?x8xf32>, tensor<24x8xf32>, tensor<24xf32>) -> tensor<?x24xf32>
    return %0 : tensor<?x24xf32>
  }
}
