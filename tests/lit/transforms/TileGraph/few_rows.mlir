// RUN: attune-opt %s --mha-tile | FileCheck %s

// One query row: nothing is packed, the splits of 128 keys are work of their own, two kv tiles each. Their number
// and what each gives depend on S alone.
// CHECK-DAG: #[[SPLITS:.*]] = affine_map<(d0) -> (d0 ceildiv 128)>
// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0) -> (d0 * 2)>
// CHECK-DAG: #[[END:.*]] = affine_map<(d0) -> (d0 * 2 + 2)>
// CHECK-DAG: #[[KEY:.*]] = affine_map<(d0) -> (d0 * 64)>
// CHECK-NOT: mha.pack
// CHECK: %[[COUNT:.*]] = affine.apply #[[SPLITS]](%[[S:arg5]])
// CHECK: %[[PARTIALS:.*]] = memref.alloc(%{{.*}}, %[[COUNT]]) {{.*}} : memref<?x?x1x64xf32>
// CHECK: %[[STATISTICS:.*]] = memref.alloc(%{{.*}}, %[[COUNT]]) {{.*}} : memref<?x?x1x2xf32>
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]], %[[SPLIT:.*]]) in (%arg3, %{{.*}}, %[[COUNT]]) {
// CHECK-DAG: %[[FROM:.*]] = affine.apply #[[FIRST]](%[[SPLIT]])
// CHECK-DAG: %[[TO:.*]] = affine.apply #[[END]](%[[SPLIT]])
// CHECK-DAG: arith.maxsi %{{.*}}, %[[FROM]]
// CHECK-DAG: arith.minsi %{{.*}}, %[[TO]]
// CHECK: mha.start : <1x64xf32>, <1>
// CHECK: scf.for %[[TILE:[a-z0-9]+]] =
// CHECK: %[[J:.*]] = affine.apply #[[KEY]](%[[TILE]])
// CHECK: %[[KEYS:.*]] = mha.load %arg1[%[[B]], %[[H]], %{{.*}}, %{{.*}}] count %{{.*}} -> <64x64xf32>
// CHECK: mha.load %arg1[%[[B]], %[[H]], {{.*}} -> <64x64xf32>
// CHECK: mha.scores %{{.*}}, %[[KEYS]]
// CHECK: mha.accumulate {{.*}} {few_rows}
// CHECK: scf.for %
// CHECK: mha.scores {{.*}} keep {
// CHECK: mha.save %{{.*}}, %{{.*}} into %[[PARTIALS]][%{{.*}}, %[[SPLIT]], %{{.*}}, %{{.*}}], %[[STATISTICS]]
// CHECK: scf.forall (%{{.*}}, %{{.*}}) in (%arg3, %{{.*}}) {
// CHECK: %[[ACC:.*]], %[[STATS:.*]] = mha.merge %[[PARTIALS]]{{.*}} parts %[[COUNT]]
// CHECK: mha.finish %[[ACC]], %[[STATS]] into %arg2
// CHECK-NOT: mha.pack
// CHECK: return
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 128, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x1x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}) -> tensor<?x2x1x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x1x64xf32> -> tensor<?x2x1x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x1x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) -> tensor<?x2x1x64xf32>
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x1x64xf32> -> tensor<?x2x1x64xf32>
    return %3 : tensor<?x2x1x64xf32>
  }
}
