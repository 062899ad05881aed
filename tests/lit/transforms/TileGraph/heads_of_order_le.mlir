// RUN: attune-opt %s --mha-tile --canonicalize --cse | FileCheck %s

// One batch element of L rows; the interface tensor is used as rows where it lies. Of the projection only
// queries stay rows.
// CHECK-NOT: memref.extract_strided_metadata
// CHECK: mha.load %arg0[%{{.*}}, %{{.*}}] count
// CHECK: sizes: [1, 4, %arg4, 16], strides: [%{{.*}}, 16, 64, 1]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 1, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x64xf32> {mha.input = "query"}, %w: tensor<12x64x16xf32> {mha.packed}) -> tensor<?x64xf32> {
    %0 = mha.project %x, %w first 0 : (tensor<?x64xf32>, tensor<12x64x16xf32>) -> tensor<?x192xf32>
    %1 = mha.split_heads %0 order le first 0 : tensor<?x192xf32> -> tensor<1x4x?x16xf32>
    %2 = mha.split_heads %0 order le first 64 : tensor<?x192xf32> -> tensor<1x4x?x16xf32>
    %3 = mha.split_heads %0 order le first 128 : tensor<?x192xf32> -> tensor<1x4x?x16xf32>
    %4 = mha.attend %1, %2, %3 scale 0.25 : (tensor<1x4x?x16xf32>, tensor<1x4x?x16xf32>, tensor<1x4x?x16xf32>) -> tensor<1x4x?x16xf32>
    %5 = mha.merge_heads %4 order le : tensor<1x4x?x16xf32> -> tensor<?x64xf32>
    %6 = mha.project %5, %w first 0 : (tensor<?x64xf32>, tensor<12x64x16xf32>) -> tensor<?x64xf32>
    return %6 : tensor<?x64xf32>
  }
}
