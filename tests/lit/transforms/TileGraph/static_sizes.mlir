// RUN: attune-opt %s --mha-tile --canonicalize | FileCheck %s

// A static shape needs no size of the call: L = 13 is 3 query tiles, S = 70 two kv tiles.
// CHECK: memref.reinterpret_cast {{.*}} : memref<?x1x64x64xf32> to memref<?x2x1x64x64xf32, strided<[8192, 4096, 4096, 64, 1]>>
// CHECK: scf.forall (%{{.*}}, %{{.*}}, %{{.*}}) in (3, 2, 2)
// CHECK: scf.forall (%{{.*}}, %{{.*}}, %{{.*}}) in (3, 2, 3)
// CHECK-NOT: %arg{{[345]}}
// CHECK: return
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<3x2x13x64xf32> {mha.input = "query"}, %k: tensor<3x2x70x64xf32> {mha.input = "key"}) -> tensor<3x2x13x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<3x2x13x64xf32> -> tensor<3x2x13x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<3x2x70x64xf32> -> tensor<3x2x70x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<3x2x13x64xf32>, tensor<3x2x70x64xf32>, tensor<3x2x70x64xf32>) -> tensor<3x2x13x64xf32>
    %3 = mha.merge_heads %2 order nhld : tensor<3x2x13x64xf32> -> tensor<3x2x13x64xf32>
    return %3 : tensor<3x2x13x64xf32>
  }
}
