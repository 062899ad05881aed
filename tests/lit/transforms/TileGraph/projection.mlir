// RUN: attune-opt %s --mha-tile | FileCheck %s

// 40 columns are 3 panels of 16, the last with 8; depth 72 is 3 blocks of 32, the last with 8, of
// which the first is no part of a loop; 16 rows a tile.
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1) -> (16, d0 - d1)>
// CHECK-DAG: #[[COLUMNS:.*]] = affine_map<(d0) -> (16, -d0 + 40)>
// CHECK-DAG: #[[DEPTH:.*]] = affine_map<(d0) -> (32, -d0 + 72)>
// CHECK: scf.forall (%[[TILE:.*]], %[[PANEL:.*]]) in (%{{.*}}, %c3)
// CHECK: %[[COUNT:.*]] = affine.min #[[ROWS]]
// CHECK: %[[ZERO:.*]] = mha.zero : <16x16xf32>
// CHECK: %[[FIRST:.*]] = mha.accumulate %[[ZERO]], %{{.*}}, %{{.*}} : <16x16xf32>, <16x32xf32>, <32x16xf32>
// CHECK: %[[SUM:.*]] = scf.for %[[K:.*]] = %c32{{.*}} to %c72{{.*}} step %c32{{.*}} iter_args(%[[ACC:.*]] = %[[FIRST]])
// CHECK: %[[LEFT:.*]] = affine.min #[[DEPTH]](%[[K]])
// CHECK: mha.load %{{.*}}[%{{.*}}, %[[K]]] count %[[COUNT]] columns %[[LEFT]] : memref<?x72xf32, strided<[?, 1]>> -> <16x32xf32>
// CHECK: mha.load %{{.*}}[%[[PANEL]], %[[K]], %{{.*}}] count %[[LEFT]] : memref<3x72x16xf32{{.*}} -> <32x16xf32>
// CHECK: mha.accumulate %[[ACC]], %{{.*}}, %{{.*}} : <16x16xf32>, <16x32xf32>, <32x16xf32>
// CHECK: %[[BIAS:.*]] = memref.subview {{.*}} memref<48xf32
// CHECK: %[[WIDTH:.*]] = affine.min #[[COLUMNS]]
// CHECK: mha.emit %[[SUM]] bias %[[BIAS]] {{.*}} into %arg2[%{{.*}}, %{{.*}}] count(%[[COUNT]], %[[WIDTH]])
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x72xf32> {mha.input = "query"}, %w: tensor<3x72x16xf32> {mha.packed},
                     %b: tensor<48xf32> {mha.packed}) -> tensor<?x40xf32> {
    %0 = mha.project %x, %w bias %b first 0 : (tensor<?x72xf32>, tensor<3x72x16xf32>, tensor<48xf32>) -> tensor<?x40xf32>
    return %0 : tensor<?x40xf32>
  }
}
