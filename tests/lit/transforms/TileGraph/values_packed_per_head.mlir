// RUN: attune-opt %s --mha-tile | FileCheck %s

// Values of 48 columns are padded to a block of 4 vectors, 64 columns, in a copy of their own.
// CHECK: %[[PANELS:.*]] = memref.alloc{{.*}} : memref<?x1x48x64xf32>
// CHECK: %[[KEYS:.*]] = memref.reinterpret_cast %[[PANELS]]
// CHECK: %[[VALUES:.*]] = memref.alloc(%{{.*}}, %{{.*}}) {{.*}} : memref<?x?x64xf32>
// CHECK: mha.pack panel %arg1{{.*}} into %[[KEYS]]
// CHECK: mha.pack rows %arg1{{.*}} into %[[VALUES]]
// CHECK: mha.load %[[KEYS]]{{.*}} -> <64x48xf32, panel>
// CHECK: mha.load %[[VALUES]]{{.*}} -> <64x64xf32>
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x48xf32> {mha.input = "query"}, %k: tensor<?x2x?x48xf32> {mha.input = "key"}) -> tensor<?x2x?x48xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x48xf32> -> tensor<?x2x?x48xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x48xf32> -> tensor<?x2x?x48xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x?x48xf32>, tensor<?x2x?x48xf32>, tensor<?x2x?x48xf32>) -> tensor<?x2x?x48xf32>
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x48xf32> -> tensor<?x2x?x48xf32>
    return %3 : tensor<?x2x?x48xf32>
  }
}
