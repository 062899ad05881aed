// RUN: attune-opt %s --mha-tile | FileCheck %s

// Scores are float32 and wait for their scale; the softmax leaves a copy of the probabilities in 16 bits,
// which meets values in pairs of rows. Weights come from the float32 ones.
// CHECK: %[[PANELS:.*]] = memref.alloc({{.*}}) {alignment = 64 : i64} : memref<?x1x16x64xi32>
// CHECK: %[[KEYS:.*]] = memref.reinterpret_cast %[[PANELS]]
// CHECK: %[[VALUES:.*]] = memref.alloc({{.*}}) {alignment = 64 : i64} : memref<?x?x64xi32>
// CHECK: %[[ROWS:.*]] = memref.alloc({{.*}}) {alignment = 64 : i64} : memref<?x48x?xf32>
// CHECK: %[[ROUNDED:.*]] = memref.alloc({{.*}}) {alignment = 64 : i64} : memref<?x48x?xbf16>
// CHECK: mha.load %{{.*}} -> <48x20xbf16>
// CHECK: mha.load %[[KEYS]]{{.*}} -> <64x20xbf16, panel>
// CHECK: mha.logits {{.*}} scale 1.000000e+00 into %[[ROWS]]
// CHECK: mha.softmax %[[ROWS]]{{.*}} scale 2.500000e-01 rounded %[[ROUNDED]]
// CHECK: mha.load %[[VALUES]]{{.*}} -> <64x64xbf16>
// CHECK: mha.load %[[ROUNDED]]{{.*}} -> <48x64xbf16>
// CHECK: mha.accumulate {{.*}} : <48x64xf32>, <48x64xbf16>, <64x64xbf16>
// CHECK: mha.emit_weights %[[ROWS]]
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}} {
  func.func @forward(%q: tensor<?x2x?x20xbf16> {mha.input = "query"}, %k: tensor<?x2x?x20xbf16> {mha.input = "key"}, %v: tensor<?x2x?x20xbf16> {mha.input = "value"}) -> (tensor<?x2x?x20xbf16>, tensor<?x2x?x?xbf16>) {
    %0, %w = mha.attend %q, %k, %v scale 0.25 : (tensor<?x2x?x20xbf16>, tensor<?x2x?x20xbf16>, tensor<?x2x?x20xbf16>) -> (tensor<?x2x?x20xbf16>, tensor<?x2x?x?xbf16>)
    %1 = mha.merge_heads %0 order nhld : tensor<?x2x?x20xbf16> -> tensor<?x2x?x20xbf16>
    return %1, %w : tensor<?x2x?x20xbf16>, tensor<?x2x?x?xbf16>
  }
}
