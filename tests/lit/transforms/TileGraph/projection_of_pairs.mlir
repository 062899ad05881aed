// RUN: attune-opt %s --mha-tile | FileCheck %s

// The weight is a view of the packed block as pairs. Rows are copied once, padded to whole tiles; the
// first block of the depth is no part of a loop, the second starts at pair 32.
// CHECK: func.func @forward(%[[X:.*]]: memref<?x72xbf16, {{.*}}> {mha.input = "query"}, %[[PACKED:.*]]: memref<{{.*}}xf32>
// CHECK: %[[PAIRS:.*]] = mha.as_pairs %[[PACKED]] : memref<{{.*}}xf32> -> memref<{{.*}}xi32>
// CHECK: %[[W:.*]] = memref.reinterpret_cast %[[PAIRS]]{{.*}} to memref<1x48x64xi32
// CHECK: %[[COPY:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x96xbf16>
// CHECK: mha.pack rows %[[X]]{{.*}} into %[[COPY]]
// CHECK: mha.zero
// CHECK: mha.accumulate {{.*}} : <48x64xf32>, <48x64xbf16>, <64x64xbf16>
// CHECK: scf.for %[[K:.*]] = %c64{{.*}} to %c96{{.*}} step %c64
// CHECK: mha.load %[[COPY]]{{.*}} -> <48x64xbf16>
// CHECK: mha.load %[[W]][{{.*}}] count %{{.*}} -> <64x64xbf16>
// CHECK: mha.accumulate {{.*}} : <48x64xf32>, <48x64xbf16>, <64x64xbf16>
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}} {
  func.func @forward(%x: tensor<?x72xbf16> {mha.input = "query"}, %w: tensor<1x48x64xi32> {mha.packed}) -> tensor<?x40xbf16> {
    %0 = mha.project %x, %w first 0 : (tensor<?x72xbf16>, tensor<1x48x64xi32>) -> tensor<?x40xbf16>
    return %0 : tensor<?x40xbf16>
  }
}
