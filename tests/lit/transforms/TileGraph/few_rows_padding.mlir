// RUN: attune-opt %s --mha-tile | FileCheck %s

// Values are read where they lie unless a key of their tile may be padded: then a copy has zeros.
// CHECK: %[[COPIES:.*]] = memref.alloc(%{{.*}}) {{.*}} : memref<?x64x64xf32>
// CHECK: mha.classify
// CHECK: mha.scores {{.*}} : <3x64xf32>, <64x64xf32> -> {{[^{]*$}}
// CHECK: mha.load %arg1
// CHECK: mha.accumulate
// CHECK: else
// CHECK: %[[WORKER:.*]] = mha.worker
// CHECK: mha.pack rows %arg1[{{.*}} into %[[COPIES]][%[[WORKER]], %{{.*}}, %{{.*}}] padding %arg2
// CHECK: %[[VALUES:.*]] = mha.load %[[COPIES]][%[[WORKER]]
// CHECK: mha.scores {{.*}} keep {
// CHECK: mha.accumulate {{.*}}, %{{.*}}, %[[VALUES]] {few_rows}
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 128, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x3x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}, %p: tensor<?x?xi8> {mha.input = "key_padding_mask"}) -> tensor<?x2x3x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x3x64xf32> -> tensor<?x2x3x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x3x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) -> tensor<?x2x3x64xf32> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %e = mha.element %p[%b, %j] : tensor<?x?xi8> -> i8
      %zero = arith.constant 0 : i8
      %seen = arith.cmpi eq, %e, %zero : i8
      mha.yield %seen : i1
    }
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x3x64xf32> -> tensor<?x2x3x64xf32>
    return %3 : tensor<?x2x3x64xf32>
  }
}
