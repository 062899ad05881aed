// RUN: attune-opt %s --mha-tile | FileCheck %s

// Full tiles end where the first row's keys end, edge tiles where the last row's do: tiles above the
// diagonal are never visited. Full tiles run no keep at all.
// CHECK-DAG: #[[BLOCK:.*]] = affine_map<(d0) -> (d0 * 6)>
// CHECK-DAG: #[[COUNT:.*]] = affine_map<(d0, d1) -> (6, d0 - d1)>
// CHECK-DAG: #[[LAST_ROW:.*]] = affine_map<(d0, d1, d2) -> (d2, d0 + d1)>
// CHECK-DAG: #[[FIRST_ROW:.*]] = affine_map<(d0, d1, d2) -> (d2, d0 + 1)>
// CHECK-DAG: #[[DOWN:.*]] = affine_map<(d0) -> (d0 floordiv 64)>
// CHECK-DAG: #[[UP:.*]] = affine_map<(d0) -> (d0 ceildiv 64)>
// CHECK-LABEL: func.func @forward
// CHECK-SAME: %arg4: index, %[[L:.*]]: index, %[[S:.*]]: index)
// CHECK: mha.pack panel %arg1
// CHECK: scf.forall (%{{.*}}, %{{.*}}, %[[TILE:.*]]) in
// CHECK: %[[FIRST:.*]] = affine.apply #[[BLOCK]](%[[TILE]])
// CHECK: %[[ROWS:.*]] = affine.min #[[COUNT]](%[[L]], %[[FIRST]])
// CHECK: mha.load %arg0[{{.*}}, %[[FIRST]], %{{.*}}] count %[[ROWS]] : {{.*}} -> <6x64xf32>
// CHECK: %[[ANY:.*]] = affine.min #[[LAST_ROW]](%[[FIRST]], %[[ROWS]], %[[S]])
// CHECK: %[[VISIBLE:.*]] = arith.maxsi %[[ANY]]
// CHECK: %[[END:.*]] = affine.apply #[[UP]](%[[VISIBLE]])
// CHECK: %[[EVERY:.*]] = affine.min #[[FIRST_ROW]](%[[FIRST]], %[[ROWS]], %[[S]])
// CHECK: %[[COMMON:.*]] = arith.maxsi %[[EVERY]]
// CHECK: %[[FULL:.*]] = affine.apply #[[DOWN]](%[[COMMON]])
// CHECK: %[[STATE:.*]]:2 = scf.for %{{.*}} = %c0{{.*}} to %[[FULL]] step
// CHECK-NOT: keep
// CHECK: scf.for %{{.*}} = %[[FULL]] to %[[END]] step %{{.*}} iter_args(%{{.*}} = %[[STATE]]#0, %{{.*}} = %[[STATE]]#1)
// CHECK: mha.scores {{.*}} keep {
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %[[I:.*]]: index, %[[J:.*]]: index):
// CHECK-DAG: %[[INSIDE:.*]] = arith.cmpi slt, %[[J]], %[[S]]
// CHECK-DAG: %[[CAUSAL:.*]] = arith.cmpi sle, %[[J]], %[[I]]
// CHECK: arith.andi %[[INSIDE]], %[[CAUSAL]]
// CHECK: mha.finish {{.*}} into %arg3[{{.*}}, %[[FIRST]], %{{.*}}] count %[[ROWS]]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 3, projection_rows = 128, projection_depth = 512, weight_panel = 48, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<1x2x?x64xf32> {mha.input = "query"}, %k: tensor<1x2x?x64xf32> {mha.input = "key"}, %v: tensor<1x2x?x64xf32> {mha.input = "value"}) -> tensor<1x2x?x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
    %2 = mha.split_heads %v order nhld first 0 : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
    %3 = mha.attend %0, %1, %2 scale 1.250000e-01 : (tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %c = arith.cmpi sle, %j, %i : index
      mha.yield %c : i1
    }
    %4 = mha.merge_heads %3 order nhld : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
    return %4 : tensor<1x2x?x64xf32>
  }
}
