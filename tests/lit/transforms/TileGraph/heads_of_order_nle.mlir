// RUN: attune-opt %s --mha-tile --canonicalize --cse | FileCheck %s

// Rows of 192 columns, batch by batch: a batch is L rows apart, keys begin at column 64, values at 128. (A
// key padding mask makes attention pack keys and values.)
// CHECK: %[[STRIDE:.*]] = arith.muli %[[L:arg[0-9]+]], %c192
// CHECK: sizes: [%{{arg[0-9]+}}, 4, %[[L]], 16], strides: [%[[STRIDE]], 16, 192, 1] {{.*}} strided<[?, 16, 192, 1]>>
// CHECK: offset: [64], {{.*}} strides: [%[[STRIDE]], 16, 192, 1]
// CHECK: offset: [128], {{.*}} strides: [%[[STRIDE]], 16, 192, 1]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 1, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x?x64xf32> {mha.input = "query"}, %mask: tensor<?x?xi8> {mha.input = "key_padding_mask"}, %w: tensor<12x64x16xf32> {mha.packed}) -> tensor<?x?x64xf32> {
    %0 = mha.project %x, %w first 0 : (tensor<?x?x64xf32>, tensor<12x64x16xf32>) -> tensor<?x?x192xf32>
    %1 = mha.split_heads %0 order nle first 0 : tensor<?x?x192xf32> -> tensor<?x4x?x16xf32>
    %2 = mha.split_heads %0 order nle first 64 : tensor<?x?x192xf32> -> tensor<?x4x?x16xf32>
    %3 = mha.split_heads %0 order nle first 128 : tensor<?x?x192xf32> -> tensor<?x4x?x16xf32>
    %4 = mha.attend %1, %2, %3 scale 0.25 : (tensor<?x4x?x16xf32>, tensor<?x4x?x16xf32>, tensor<?x4x?x16xf32>) -> tensor<?x4x?x16xf32> keep {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %hidden = mha.element %mask[%b, %j] : tensor<?x?xi8> -> i8
        %zero = arith.constant 0 : i8
        %seen = arith.cmpi eq, %hidden, %zero : i8
        mha.yield %seen : i1
      }
    %5 = mha.merge_heads %4 order nle : tensor<?x4x?x16xf32> -> tensor<?x?x64xf32>
    %6 = mha.project %5, %w first 0 : (tensor<?x?x64xf32>, tensor<12x64x16xf32>) -> tensor<?x?x64xf32>
    return %6 : tensor<?x?x64xf32>
  }
}
