// RUN: attune-opt %s --mha-pack-parameters | FileCheck %s

// Each projection packs its own rows; a weight stays one parameter of pack.
// CHECK: func.func @pack(%arg0: tensor<24x8xf32> {mha.parameter = "w"}) -> (tensor<1x8x16xf32>, tensor<1x8x16xf32>)
// CHECK: mha.pack_weight %arg0 first 0 columns 8
// CHECK: mha.pack_weight %arg0 first 8 columns 16
// CHECK: func.func @forward(%arg0: {{.*}}, %arg1: tensor<?x8xf32> {mha.input = "key"}, %arg2: tensor<1x8x16xf32> {mha.packed}, %arg3: tensor<1x8x16xf32> {mha.packed})
// CHECK: mha.project %arg0, %arg2 first 0 {{.*}} -> tensor<?x8xf32>
// CHECK: mha.project %arg1, %arg3 first 0 {{.*}} -> tensor<?x16xf32>
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x8xf32> {mha.input = "query"}, %w: tensor<24x8xf32> {mha.parameter = "w"},
                     %k: tensor<?x8xf32> {mha.input = "key"}) -> (tensor<?x8xf32>, tensor<?x16xf32>) {
    %0 = mha.project %q, %w first 0 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
    %1 = mha.project %k, %w first 8 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x16xf32>
    return %0, %1 : tensor<?x8xf32>, tensor<?x16xf32>
  }
}
