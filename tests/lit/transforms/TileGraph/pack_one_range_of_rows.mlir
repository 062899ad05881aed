// RUN: attune-opt %s --mha-tile | FileCheck %s

// Rows [8, 32) of a weight and of its bias, whose second panel has 8.
// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0) -> (d0 * 16 + 8)>
// CHECK-DAG: #[[COUNT:.*]] = affine_map<(d0) -> (16, d0 * -16 + 24)>
// CHECK: %[[ROW:.*]] = affine.apply #[[FIRST]](%[[PANEL:.*]])
// CHECK: %[[ROWS:.*]] = affine.min #[[COUNT]](%[[PANEL]])
// CHECK: mha.pack panel %arg0[%[[ROW]], %{{.*}}] count %[[ROWS]] into
// CHECK: memref.reinterpret_cast %arg1 to offset: [8], sizes: [1, 24]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @pack(%w: tensor<40x5xf32> {mha.parameter = "w"}, %b: tensor<40xf32> {mha.parameter = "b"}) -> (tensor<2x5x16xf32>, tensor<32xf32>) {
    %0 = mha.pack_weight %w first 8 columns 24 : tensor<40x5xf32> -> tensor<2x5x16xf32>
    %1 = mha.pack_bias %b first 8 columns 24 : tensor<40xf32> -> tensor<32xf32>
    return %0, %1 : tensor<2x5x16xf32>, tensor<32xf32>
  }
}
