// RUN: attune-opt %s --mha-tile | FileCheck %s

// Zeros, and over them the bias, a row a head.
// CHECK: %[[PANELS:.*]] = memref.reinterpret_cast %arg1 to offset: [0], sizes: [2, 1, 4, 32]
// CHECK: %[[ROWS:.*]] = memref.reinterpret_cast %arg1 to offset: [256], sizes: [2, 2, 64]
// CHECK: mha.clear %[[PANELS]]
// CHECK: %[[HEADS:.*]] = memref.reinterpret_cast %arg0 to offset: [0], sizes: [2, 1, 4], strides: [4, 4, 1]
// CHECK: scf.forall (%[[H:.*]]) in
// CHECK: mha.pack panel %[[HEADS]][%[[H]], %c0{{.*}}, %c0{{.*}}] count %c1{{.*}} into %[[PANELS]][%[[H]], %c0{{.*}}, %c0{{.*}}, %c0{{.*}}]
// CHECK: mha.clear %[[ROWS]]
// CHECK-NOT: mha.pack
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @pack(%b: tensor<1x1x8xf32> {mha.parameter = "bias_k"}) -> (tensor<2x1x4x32xf32>, tensor<2x2x64xf32>) {
    %k = mha.appended %b : tensor<1x1x8xf32> -> tensor<2x2x4xf32>
    %panel = mha.pack_appended panel %k : tensor<2x2x4xf32> -> tensor<2x1x4x32xf32>
    %v = mha.appended -> tensor<2x2x4xf32>
    %rows = mha.pack_appended rows %v : tensor<2x2x4xf32> -> tensor<2x2x64xf32>
    return %panel, %rows : tensor<2x1x4x32xf32>, tensor<2x2x64xf32>
  }
}
