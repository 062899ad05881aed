// RUN: attune-opt %s --mha-tile | FileCheck %s

// Rows of 16 bits are converted once, by all workers; every column panel reads the copy.
// CHECK: %[[COPY:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x72xf32>
// CHECK: scf.forall
// CHECK: mha.pack rows %arg0{{.*}} into %[[COPY]]{{.*}} : memref<?x72xbf16{{.*}}, memref<?x72xf32>
// CHECK: scf.forall
// CHECK: mha.load %[[COPY]]{{.*}} -> <16x32xf32>
// CHECK: mha.emit {{.*}} into %arg{{[0-9]}}[{{.*}}memref<?x40xbf16
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x72xbf16> {mha.input = "query"}, %w: tensor<3x72x16xf32> {mha.packed},
                     %b: tensor<48xf32> {mha.packed}) -> tensor<?x40xbf16> {
    %0 = mha.project %x, %w bias %b first 0 : (tensor<?x72xbf16>, tensor<3x72x16xf32>, tensor<48xf32>) -> tensor<?x40xbf16>
    return %0 : tensor<?x40xbf16>
  }
}
