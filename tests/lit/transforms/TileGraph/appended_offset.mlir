// RUN: attune-opt %s --mha-tile | FileCheck %s

// What other targets of the object pack lies before the appended keys and values of this one, but the weights do not
// move: all targets read the same.
// CHECK: func.func @pack({{.*}}, %[[PACKED:.*]]: memref<1512xf32>
// CHECK: memref.reinterpret_cast %[[PACKED]] to offset: [0], sizes: [1, 8, 16]
// CHECK: memref.reinterpret_cast %[[PACKED]] to offset: [1000], sizes: [2, 1, 4, 32]
// CHECK: memref.reinterpret_cast %[[PACKED]] to offset: [1256], sizes: [2, 2, 64]
module attributes {mha.appended_offset = 1000 : i64, mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @pack(%w: tensor<8x8xf32> {mha.parameter = "out_proj.weight"}, %b: tensor<1x1x8xf32> {mha.parameter = "bias_k"}) -> (tensor<1x8x16xf32>, tensor<2x1x4x32xf32>, tensor<2x2x64xf32>) {
    %weight = mha.pack_weight %w first 0 columns 8 : tensor<8x8xf32> -> tensor<1x8x16xf32>
    %k = mha.appended %b : tensor<1x1x8xf32> -> tensor<2x2x4xf32>
    %panel = mha.pack_appended panel %k : tensor<2x2x4xf32> -> tensor<2x1x4x32xf32>
    %v = mha.appended -> tensor<2x2x4xf32>
    %rows = mha.pack_appended rows %v : tensor<2x2x4xf32> -> tensor<2x2x64xf32>
    return %weight, %panel, %rows : tensor<1x8x16xf32>, tensor<2x1x4x32xf32>, tensor<2x2x64xf32>
  }
}
