// RUN: attune-opt %s --mha-tile | FileCheck %s

// A mask (S) is loaded as one row. A float one runs on every tile: it is added, too.
// CHECK: mha.key_range %arg2[%c0{{.*}}] count %arg6 into
// CHECK-NOT: mha.classify
// CHECK: %[[ROW:.*]] = memref.reinterpret_cast %arg2 to offset: [0], sizes: [1, %arg6], strides: [%arg6, 1] : memref<?xf32, strided<[1]>> to memref<1x?xf32, strided<[?, 1]>>
// CHECK: mha.load %[[ROW]][%c0{{.*}}, %{{.*}}] columns %{{.*}} -> <1x64xf32>
// CHECK: mha.scores {{.*}} tiles(%{{.*}} : !mha.tile<1x64xf32>) {{.*}} score {
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<1x2x?x64xf32> {mha.input = "query"}, %k: tensor<1x2x?x64xf32> {mha.input = "key"}, %p: tensor<?xf32> {mha.input = "key_padding_mask"}) -> tensor<1x2x?x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32> score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %e = mha.element %p[%j] : tensor<?xf32> -> f32
      %sum = arith.addf %s, %e : f32
      mha.yield %sum : f32
    } keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %e = mha.element %p[%j] : tensor<?xf32> -> f32
      %hidden = arith.constant 0xFF800000 : f32
      %seen = arith.cmpf une, %e, %hidden : f32
      mha.yield %seen : i1
    }
    %3 = mha.merge_heads %2 order nhld : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
    return %3 : tensor<1x2x?x64xf32>
  }
}
