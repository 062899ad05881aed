// RUN: attune-opt %s --mha-tile | FileCheck %s

// Whole rows of logits in a scratch of each worker, then their softmax, the products, the weights.
// CHECK: %[[WORKERS:.*]] = mha.workers
// CHECK: %[[ROWS:.*]] = memref.alloc(%[[WORKERS]], %{{.*}}) {alignment = 64 : i64} : memref<?x6x?xf32>
// CHECK: scf.forall (%[[B:[a-z0-9]+]], %[[H:[a-z0-9]+]], %{{[a-z0-9]+}}) in
// CHECK: mha.load %arg0[%[[B]], %[[H]], %[[FIRST:[0-9]+]], %c0
// CHECK: %[[WORKER:.*]] = mha.worker
// CHECK: %[[MAXIMA:.*]] = scf.for {{.*}} -> (!mha.stats<6>) {
// CHECK:   mha.logits {{.*}} into %[[ROWS]][%[[WORKER]], %c0{{.*}}, %{{.*}}]
// CHECK-NOT: keep
// CHECK: %[[EDGE:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[MAXIMA]])
// CHECK:   mha.logits {{.*}} keep {
// CHECK: %[[SUMS:.*]] = mha.softmax %[[ROWS]][%[[WORKER]], %c0{{.*}}, %c0{{.*}}], %[[EDGE]] count(
// CHECK: %[[ACC:.*]] = scf.for {{.*}} -> (!mha.tile<6x64xf32>) {
// CHECK:   %[[P:.*]] = mha.load %[[ROWS]]{{.*}} -> <6x64xf32>
// CHECK:   mha.accumulate %{{.*}}, %[[P]], %{{.*}} : <6x64xf32>
// CHECK: mha.finish %[[ACC]], %[[SUMS]] into %arg2
// CHECK: mha.emit_weights %[[ROWS]]{{.*}}, %[[SUMS]] visited %{{.*}} into %arg3[%[[B]], %[[H]], %[[FIRST]], %c0{{.*}}] count(%{{.*}}, %arg6) factor 1.000000e+00 :

module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}) -> (tensor<?x2x?x64xf32>, tensor<?x2x?x?xf32>) {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2, %w = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) -> (tensor<?x2x?x64xf32>, tensor<?x2x?x?xf32>)
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    return %3, %w : tensor<?x2x?x64xf32>, tensor<?x2x?x?xf32>
  }
}
