// RUN: attune-opt %s --mha-tile --canonicalize | FileCheck %s

// Strides of the caller's tensor stay run-time values; the batch of one repeats the head's.
// CHECK: %{{.*}}, %{{.*}}, %{{.*}}:3, %[[STRIDES:.*]]:3 = memref.extract_strided_metadata %arg0
// CHECK: memref.reinterpret_cast %arg0 to offset: [0], sizes: [1, 2, %arg3, 64], strides: [%[[STRIDES]]#0, %[[STRIDES]]#0, %[[STRIDES]]#1, 1]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<2x?x64xf32> {mha.input = "query"}) -> tensor<2x?x64xf32> {
    %0 = mha.split_heads %q order hld first 0 : tensor<2x?x64xf32> -> tensor<1x2x?x64xf32>
    %1 = mha.attend %0, %0, %0 scale 0.125 : (tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32>
    %2 = mha.merge_heads %1 order hld : tensor<1x2x?x64xf32> -> tensor<2x?x64xf32>
    return %2 : tensor<2x?x64xf32>
  }
}
