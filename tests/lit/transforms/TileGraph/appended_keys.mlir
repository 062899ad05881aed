// RUN: attune-opt %s --mha-tile | FileCheck %s

// One more step behind the loops, without the regions of attend: all of the one key is seen.
// CHECK: %[[KEYS:.*]] = memref.reinterpret_cast %arg2 to offset: [0], sizes: [2, 1, 64, 32]
// CHECK: %[[VALUES:.*]] = memref.reinterpret_cast %arg2 to offset: [4096], sizes: [2, 1, 64]
// CHECK: mha.start
// CHECK: scf.for
// CHECK: %[[STATE:.*]]:2 = scf.for
// CHECK: mha.scores {{.*}} score {
// CHECK: %[[KEY:.*]] = mha.load %[[KEYS]][%{{.*}}, %c0{{.*}}, %c0{{.*}}, %c0{{.*}}] count %[[ONE:.*]] : {{.*}} -> <64x64xf32, panel>
// CHECK: mha.load %[[VALUES]]{{.*}} -> <64x64xf32>
// CHECK: %[[P:.*]], %[[RESCALE:.*]], %[[STATS:.*]] = mha.scores %{{.*}}, %[[KEY]], %[[STATE]]#1 at({{.*}}, %c0{{.*}}) count(%{{.*}}, %{{.*}}) scale 1.250000e-01 : {{.*}} keep {
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[J:.*]]: index):
// CHECK-NEXT: %[[KEPT:.*]] = arith.cmpi slt, %[[J]], %c1{{.*}} : index
// CHECK-NEXT: mha.yield %[[KEPT]]
// CHECK: %[[ACC:.*]] = mha.accumulate %[[STATE]]#0 rescale %[[RESCALE]]
// CHECK: mha.finish %[[ACC]], %[[STATS]]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}, %ak: tensor<2x1x64x32xf32> {mha.packed}, %av: tensor<2x1x64xf32> {mha.packed}) -> tensor<?x2x?x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2 = mha.attend %0, %1, %1 append(%ak, %av) scale 0.125 : (tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<2x1x64x32xf32>, tensor<2x1x64xf32>) -> tensor<?x2x?x64xf32> score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %n = arith.negf %s : f32
      mha.yield %n : f32
    }
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    return %3 : tensor<?x2x?x64xf32>
  }
}
