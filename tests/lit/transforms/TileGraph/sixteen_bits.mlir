// RUN: attune-opt %s --mha-tile | FileCheck %s

// Tensors of 16 bits are converted where they are packed, and what is stored by the store. Nothing
// packs queries: they go through a copy, a tile at a time. Regions take f32.
// CHECK: func.func @forward(%[[QUERY:.*]]: memref<?x2x?x64xbf16, {{[^>]*}}>> {mha.input = "query"}, %[[KEY:.*]]: memref<?x2x?x64xbf16, {{[^>]*}}>> {mha.input = "key"}, %[[MASK:.*]]: memref<?x?xbf16, {{[^>]*}}>> {mha.input = "attn_mask"}, %[[OUT:.*]]: memref<?x2x?x64xbf16
// CHECK: %[[PANELS:.*]] = memref.alloc({{.*}} : memref<?x1x64x64xf32>
// CHECK: %[[KEYS:.*]] = memref.reinterpret_cast %[[PANELS]]
// CHECK: %[[VALUES:.*]] = memref.alloc({{.*}} : memref<?x?x64xf32>
// CHECK: mha.pack panel %[[KEY]]{{.*}} into %[[KEYS]]
// CHECK: mha.pack rows %[[KEY]]{{.*}} into %[[VALUES]]
// CHECK: scf.forall
// CHECK: %[[COPY:.*]] = memref.alloc() {alignment = 64 : i64} : memref<6x64xf32>
// CHECK: mha.pack rows %[[QUERY]]{{.*}} count %[[COUNT:[a-z0-9]+]] into %[[COPY]]
// CHECK: mha.load %[[COPY]]{{.*}} count %[[COUNT]]
// CHECK: mha.load %[[MASK]]{{.*}} -> <6x64xbf16>
// CHECK: mha.scores {{.*}} score {
// CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: f32):
// CHECK: mha.finish {{.*}} into %[[OUT]]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x64xbf16> {mha.input = "query"}, %k: tensor<?x2x?x64xbf16> {mha.input = "key"}, %m: tensor<?x?xbf16> {mha.input = "attn_mask"}) -> tensor<?x2x?x64xbf16> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x64xbf16> -> tensor<?x2x?x64xbf16>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xbf16> -> tensor<?x2x?x64xbf16>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>) -> tensor<?x2x?x64xbf16> score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %e = mha.element %m[%i, %j] : tensor<?x?xbf16> -> f32
      %sum = arith.addf %s, %e : f32
      mha.yield %sum : f32
    }
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x64xbf16> -> tensor<?x2x?x64xbf16>
    return %3 : tensor<?x2x?x64xbf16>
  }
}
