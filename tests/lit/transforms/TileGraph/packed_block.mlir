// RUN: attune-opt %s --mha-tile | FileCheck %s

// All packed tensors share one block, each from a multiple of 16 floats: 3 * 5 * 16 = 240, then 48.
// CHECK: func.func @pack(%arg0: memref<40x5xf32, strided<[?, 1]>> {mha.parameter = "w"}, %arg1: memref<40xf32, strided<[1]>> {mha.parameter = "b"}, %arg2: memref<288xf32> {mha.packed})
// CHECK: memref.reinterpret_cast %arg2 to offset: [0], sizes: [3, 5, 16]
// CHECK: scf.forall (%{{.*}}) in (%c3)
// CHECK: mha.pack panel %arg0[%{{.*}}, %{{.*}}] count
// CHECK: memref.reinterpret_cast %arg2 to offset: [240], sizes: [1, 48], strides: [48, 1]
// CHECK: mha.pack rows {{.*}} : memref<1x40xf32, strided<[40, 1]>>, memref<1x48xf32, strided<[48, 1], offset: 240>>
// CHECK: func.func @forward(%arg0: {{.*}}, %arg1: memref<288xf32> {mha.packed}, %arg2: {{.*}} {mha.output = "out"}, %arg3: index, %arg4: index, %arg5: index)
// CHECK: memref.reinterpret_cast %arg1 to offset: [240], sizes: [48]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @pack(%w: tensor<40x5xf32> {mha.parameter = "w"}, %b: tensor<40xf32> {mha.parameter = "b"}) -> (tensor<3x5x16xf32>, tensor<48xf32>) {
    %0 = mha.pack_weight %w first 0 columns 40 : tensor<40x5xf32> -> tensor<3x5x16xf32>
    %1 = mha.pack_bias %b first 0 columns 40 : tensor<40xf32> -> tensor<48xf32>
    return %0, %1 : tensor<3x5x16xf32>, tensor<48xf32>
  }
  func.func @forward(%x: tensor<?x5xf32> {mha.input = "query"}, %w: tensor<3x5x16xf32> {mha.packed}, %b: tensor<48xf32> {mha.packed}) -> tensor<?x40xf32> {
    %0 = mha.project %x, %w bias %b first 0 : (tensor<?x5xf32>, tensor<3x5x16xf32>, tensor<48xf32>) -> tensor<?x40xf32>
    return %0 : tensor<?x40xf32>
  }
}
