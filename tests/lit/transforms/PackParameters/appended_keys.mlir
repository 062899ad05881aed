// RUN: attune-opt %s --mha-pack-parameters | FileCheck %s

// Appended keys become one panel of 32 a head, appended values rows as wide as an accumulator, 64.
// CHECK: func.func @pack(%arg0: tensor<8x8xf32> {mha.parameter = "w"}, %arg1: tensor<1x1x8xf32> {mha.parameter = "bias_k"})
// CHECK: %[[K:.*]] = mha.appended %arg1 : tensor<1x1x8xf32> -> tensor<2x2x4xf32>
// CHECK: mha.pack_appended panel %[[K]] : tensor<2x2x4xf32> -> tensor<2x1x4x32xf32>
// CHECK: %[[V:.*]] = mha.appended -> tensor<2x2x4xf32>
// CHECK: mha.pack_appended rows %[[V]] : tensor<2x2x4xf32> -> tensor<2x2x64xf32>
// CHECK: func.func @forward(%arg0: {{.*}}, %{{.*}}: tensor<1x8x16xf32> {mha.packed}, %[[KEYS:.*]]: tensor<2x1x4x32xf32> {mha.packed}, %[[VALUES:.*]]: tensor<2x2x64xf32> {mha.packed})
// CHECK-NOT: mha.appended
// CHECK: mha.attend {{.*}} append(%[[KEYS]], %[[VALUES]])
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x?x8xf32> {mha.input = "query"}, %w: tensor<8x8xf32> {mha.parameter = "w"}, %b: tensor<1x1x8xf32> {mha.parameter = "bias_k"}) -> tensor<?x2x?x4xf32> {
    %p = mha.project %x, %w first 0 : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
    %q = mha.split_heads %p order nle first 0 : tensor<?x?x8xf32> -> tensor<?x2x?x4xf32>
    %k = mha.appended %b : tensor<1x1x8xf32> -> tensor<2x2x4xf32>
    %v = mha.appended -> tensor<2x2x4xf32>
    %0 = mha.attend %q, %q, %q append(%k, %v) scale 0.5 : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>) -> tensor<?x2x?x4xf32>
    return %0 : tensor<?x2x?x4xf32>
  }
}
