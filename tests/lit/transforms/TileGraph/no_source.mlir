// RUN: attune-opt %s --mha-tile --canonicalize | FileCheck %s
// RUN: attune-opt %s --mha-tile --canonicalize --mha-assign-kernels

// A source length of 0 stays a size of the call: views of statically empty memrefs are refused.
// CHECK: func.func @forward({{.*}}memref<3x2x?x64xf32, {{[^)]*}}"key"}, {{[^)]*}}, %[[SOURCE:[a-z0-9]+]]: index) {
// CHECK: affine.apply #{{.*}}()[%[[SOURCE]]]
// CHECK: memref.alloc(%{{.*}}) {{.*}} : memref<?x1x64x64xf32>
module attributes {mha.target = "x86-64-v4", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<3x2x13x64xf32> {mha.input = "query"}, %k: tensor<3x2x0x64xf32> {mha.input = "key"}) -> tensor<3x2x13x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<3x2x13x64xf32> -> tensor<3x2x13x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<3x2x0x64xf32> -> tensor<3x2x0x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<3x2x13x64xf32>, tensor<3x2x0x64xf32>, tensor<3x2x0x64xf32>) -> tensor<3x2x13x64xf32>
    %3 = mha.merge_heads %2 order nhld : tensor<3x2x13x64xf32> -> tensor<3x2x13x64xf32>
    return %3 : tensor<3x2x13x64xf32>
  }
}
