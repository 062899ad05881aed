// RUN: attune-opt %s --mha-tile | FileCheck %s


// The heads of a query tile run in order: the first stores its half of the mean, the others add.
// CHECK: scf.forall (%[[B:[a-z0-9]+]], %{{[a-z0-9]+}}) in (%arg4, %{{.*}}) {
// CHECK: mha.load %arg0[%[[B]], %c0{{.*}}, %[[FIRST:[0-9]+]], %c0
// CHECK: mha.emit_weights {{.*}} into %arg3[%[[B]], %[[FIRST]], %c0{{.*}}] count(%{{.*}}, %arg6) factor 5.000000e-01 :
// CHECK: scf.for %[[H:.*]] = %c1{{.*}} to %c2
// CHECK: mha.load %arg0[%[[B]], %[[H]],
// CHECK: mha.emit_weights {{.*}} factor 5.000000e-01 {add}
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}) -> (tensor<?x2x?x64xf32>, tensor<?x?x?xf32>) {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2, %w = mha.attend %0, %1, %1 scale 0.125 {average_weights} : (tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) -> (tensor<?x2x?x64xf32>, tensor<?x?x?xf32>)
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    return %3, %w : tensor<?x2x?x64xf32>, tensor<?x?x?xf32>
  }
}
