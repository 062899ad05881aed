// RUN: attune-opt %s --mha-pack-parameters | FileCheck %s

// Two panels of 16 hold 32 columns without padding; no bias, none packed.
// CHECK: func.func @pack(%arg0: tensor<32x8xf32> {mha.parameter = "w"}) -> tensor<2x8x16xf32>
// CHECK: mha.pack_weight %arg0 first 0 columns 32 : tensor<32x8xf32> -> tensor<2x8x16xf32>
// CHECK-NOT: mha.pack_bias
// CHECK: func.func @forward(%arg0: tensor<?x8xf32> {mha.input = "query"}, %arg1: tensor<2x8x16xf32> {mha.packed})
// CHECK: mha.project %arg0, %arg1 first 0 {{.*}} -> tensor<?x32xf32>
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x8xf32> {mha.input = "query"}, %w: tensor<32x8xf32> {mha.parameter = "w"}) -> tensor<?x32xf32> {
    %0 = mha.project %x, %w first 0 : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
    return %0 : tensor<?x32xf32>
  }
}
