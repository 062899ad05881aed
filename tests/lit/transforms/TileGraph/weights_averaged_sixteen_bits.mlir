// RUN: attune-opt %s --mha-tile | FileCheck %s

// The mean over heads is summed in float32, in rows of the worker, and stored once: block by block of
// query tiles, within which each head attends all tiles in turn.
// CHECK: memref.alloc({{.*}} : memref<?x6x?xf32>
// CHECK: %[[MANY:.*]] = arith.divui
// CHECK: %[[SOME:.*]] = arith.minsi %[[MANY]], %c4
// CHECK: %[[TILES:.*]] = arith.maxsi %[[SOME]], %c1
// CHECK: %[[ROWS:.*]] = affine.apply {{.*}}(%[[TILES]])
// CHECK: %[[SUMS:.*]] = memref.alloc(%{{.*}}, %[[ROWS]], %{{.*}}) {alignment = 64 : i64} : memref<?x?x?xf32>
// CHECK: %[[BLOCKS:.*]] = arith.ceildivsi %{{.*}}, %[[TILES]]
// CHECK: scf.forall (%[[B:[a-z0-9]+]], %[[BLOCK:[a-z0-9]+]]) in (%arg4, %[[BLOCKS]]) {
// CHECK: %[[FIRST:.*]] = arith.muli %[[BLOCK]], %[[TILES]]
// CHECK: %[[END:.*]] = affine.min {{.*}}(%[[FIRST]], %[[TILES]],
// CHECK: scf.for %[[T:.*]] = %[[FIRST]] to %[[END]]
// CHECK: mha.emit_weights {{.*}} into %[[SUMS]][%{{.*}}, %{{.*}}, %c0{{.*}}]
// CHECK: scf.for %{{.*}} = %c1{{.*}} to %c2
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[END]]
// CHECK: mha.emit_weights {{.*}} into %[[SUMS]]{{.*}} {add}
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[END]]
// CHECK: %[[W:.*]] = mha.worker
// CHECK: mha.pack rows %[[SUMS]][%[[W]], %{{.*}}, %c0{{.*}}] count %{{.*}} into %arg3[%[[B]], %{{.*}}, %c0{{.*}}] : memref<?x?x?xf32>, memref<?x?x?xf16
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x64xf16> {mha.input = "query"}, %k: tensor<?x2x?x64xf16> {mha.input = "key"}) -> (tensor<?x2x?x64xf16>, tensor<?x?x?xf16>) {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x64xf16> -> tensor<?x2x?x64xf16>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf16> -> tensor<?x2x?x64xf16>
    %2, %w = mha.attend %0, %1, %1 scale 0.125 {average_weights} : (tensor<?x2x?x64xf16>, tensor<?x2x?x64xf16>, tensor<?x2x?x64xf16>) -> (tensor<?x2x?x64xf16>, tensor<?x?x?xf16>)
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x64xf16> -> tensor<?x2x?x64xf16>
    return %3, %w : tensor<?x2x?x64xf16>, tensor<?x?x?xf16>
  }
}
