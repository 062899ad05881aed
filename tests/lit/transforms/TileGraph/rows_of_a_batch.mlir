// RUN: attune-opt %s --mha-tile | FileCheck %s

// N and L of an interface tensor become one dimension of rows. The row stride is that of the inner of
// the two, or of the outer where the inner has size 1: such a stride means nothing.
// CHECK: arith.muli %arg3, %arg4
// CHECK-NEXT: %[[ROWS:.*]] = arith.muli %arg3, %arg4
// CHECK-NEXT: %[[BASE:.*]], %{{.*}}, %[[SIZES:.*]]:3, %[[STRIDES:.*]]:3 = memref.extract_strided_metadata %arg0
// CHECK: %[[SINGLE:.*]] = arith.cmpi eq, %[[SIZES]]#1, %c1
// CHECK: %[[STRIDE:.*]] = arith.select %[[SINGLE]], %[[STRIDES]]#0, %[[STRIDES]]#1
// CHECK: memref.reinterpret_cast %[[BASE]] to offset: [0], sizes: [%[[ROWS]], 64], strides: [%[[STRIDE]], 1]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 1, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x?x64xf32> {mha.input = "query"}, %w: tensor<12x64x16xf32> {mha.packed}) -> tensor<?x?x64xf32> {
    %0 = mha.project %x, %w first 0 : (tensor<?x?x64xf32>, tensor<12x64x16xf32>) -> tensor<?x?x192xf32>
    %1 = mha.split_heads %0 order nle first 0 : tensor<?x?x192xf32> -> tensor<?x4x?x16xf32>
    %2 = mha.split_heads %0 order nle first 64 : tensor<?x?x192xf32> -> tensor<?x4x?x16xf32>
    %3 = mha.split_heads %0 order nle first 128 : tensor<?x?x192xf32> -> tensor<?x4x?x16xf32>
    %4 = mha.attend %1, %2, %3 scale 0.25 : (tensor<?x4x?x16xf32>, tensor<?x4x?x16xf32>, tensor<?x4x?x16xf32>) -> tensor<?x4x?x16xf32>
    %5 = mha.merge_heads %4 order nle : tensor<?x4x?x16xf32> -> tensor<?x?x64xf32>
    %6 = mha.project %5, %w first 0 : (tensor<?x?x64xf32>, tensor<12x64x16xf32>) -> tensor<?x?x64xf32>
    return %6 : tensor<?x?x64xf32>
  }
}
